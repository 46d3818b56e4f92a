"""A uniform sample of the frames of a corpus, gathered while its audio is read.

Every frame draws a number in [0, 1) from a generator of (seed, utterance id). Kept are the frames with numbers below
the portion, and of these the `max_frames` with the lowest numbers: the same, whatever the shards and their workers.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import PreprocessError
from ..files.cards.stage_cards import ExtractorDescription
from ..files.options import option
from ..speech.extractors import load_described, unload_extractor
from ..speech.frames import AudioSpan, extract_frames
from ..speech.shards import Arrays, Shards

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleOptions:
    """Options of the sample of frames that k-means is fitted to."""

    portion: float = option("of the frames, above 0, to 1", 0.1)
    max_frames: int = option("sample no more than these; 500000 are 2 GB at a width of 1024", 500_000)
    seed: int = option("of sample and fit", 0)

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            PreprocessError: an option lies outside its range.
        """
        if not 0 < self.portion <= 1:
            raise PreprocessError(f"--portion must lie above 0 and be at most 1, got {self.portion}")
        if not 0 <= self.seed < 2**32:
            raise PreprocessError(f"--seed must lie in 0..{2**32 - 1}, got {self.seed}")


@dataclass(frozen=True)
class SampleTask:
    """Task of `Shards`: the frames of some spans with numbers below `threshold`, and these numbers.

    Arrays: frames (F, D) float32 and draws (F,) float64, in the order of the spans; faults.
    """

    description: ExtractorDescription
    device: str
    threshold: float
    seed: int
    skip_faults: bool

    def __call__(self, spans: Sequence[AudioSpan]) -> Arrays:
        extractor = load_described(self.description, self.device)
        faults = [""] * len(spans)
        kept = [(np.zeros((0, extractor.width), dtype=np.float32), np.zeros(0))] * len(spans)
        for item in extract_frames(spans, extractor, self.skip_faults):
            faults[item.position] = str(item.fault or "")
            draws = draw(item.span.ids[0], len(item.frames), self.seed)
            is_kept = draws < self.threshold
            kept[item.position] = (item.frames[is_kept], draws[is_kept])
        frames, draws = (np.concatenate(arrays) for arrays in zip(*kept, strict=True))
        return {"frames": frames, "draws": draws, "faults": np.array(faults)}


def draw(utterance_id: str, num_frames: int, seed: int) -> np.ndarray:
    """Numbers that the frames of an utterance draw, (num_frames,) float64 in [0, 1)."""
    digest = hashlib.sha256(utterance_id.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")]).random(num_frames)


def sample_frames(shards: Shards, description: ExtractorDescription, options: SampleOptions) -> np.ndarray:
    """Sample the frames of all audio of a manifest.

    Args:
        shards: the audio.
        description: of the extractor.
        options: of the sample.

    Returns:
        (F, D) float32, F at most max_frames.

    Raises:
        AudioError, ExtractorError, PreprocessError, OutputError: see `Shards.compute`.
    """
    max_frames = options.max_frames
    task = SampleTask(
        description=description,
        device=shards.options.device,
        threshold=min(options.portion, _highest_draw(shards.seconds / description.frame_shift_seconds, max_frames)),
        seed=options.seed,
        skip_faults=shards.options.faults.skips,
    )
    shards.compute(task)
    unload_extractor()  # the sample needs the memory
    draws = np.concatenate([arrays["draws"] for _, arrays in shards.results()])
    threshold = task.threshold
    if len(draws) > max_frames:
        threshold = np.partition(draws, max_frames)[max_frames]
    num_frames = np.count_nonzero(draws < threshold)
    if threshold < options.portion:
        logger.warning("the sample was cut to %d frames by --max-frames", num_frames)
    sample = np.empty((num_frames, description.width), dtype=np.float32)
    end = 0
    for _, arrays in shards.results():  # so that only one shard's frames are in memory beside the sample
        is_kept = arrays["draws"] < threshold
        begin, end = end, end + int(np.count_nonzero(is_kept))
        sample[begin:end] = arrays["frames"][is_kept]
    return sample


def _highest_draw(expected_frames: float, max_frames: int) -> float:
    """Bound on the lowest `max_frames` numbers. With it shards keep few frames beside those that will be left.

    It leaves a margin of five standard deviations, for a corpus of which a fifth turns out to give no frames.
    """
    return (max_frames + 5 * max_frames**0.5) / max(0.8 * expected_frames, 1)
