"""A uniform sample of the frames of a corpus, gathered while its audio is read.

Of a corpus that is large enough for it, utterances are drawn first (`utterance_sample`), and the others not encoded.
Every frame of what is encoded draws a number in [0, 1) from a generator of (seed, utterance id). Kept are the frames
with numbers below the portion (all, where utterances were drawn), and of these the `max_frames` with the lowest
numbers: the same, whatever the shards and their workers.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import PreprocessError
from ..files.cards.stage_cards import ExtractorDescription, SampleDescription
from ..files.program.options import option
from ..speech.devices import device_of_worker
from ..speech.extractors import load_described, unload_extractor
from ..speech.frames import AudioSpan, extract_frames
from ..speech.shards import Arrays, Shards
from .utterance_sample import are_enough, draw_utterances

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleOptions:
    """Options of the sample of frames that k-means is fitted to."""

    portion: float = option(
        "of the corpus, above 0, to 1: utterances of a large one, and only they are encoded; else frames", 0.1
    )
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

    Arrays: frames (F, D) float32 and draws (F,) float64, in the order of the spans; num_frames (S,), with those that
    were not kept; faults and cancelled.
    """

    description: ExtractorDescription
    device: str
    threshold: float
    seed: int
    skip_faults: bool

    def __call__(self, spans: Sequence[AudioSpan], report: Callable[[float], None]) -> Arrays:
        extractor = load_described(self.description, device_of_worker(self.device))
        faults, num_frames = [""] * len(spans), np.zeros(len(spans), dtype=np.int64)
        kept = [(np.zeros((0, extractor.width), dtype=np.float32), np.zeros(0))] * len(spans)
        cancelled = np.zeros(len(spans), dtype=bool)
        for item in extract_frames(spans, extractor, self.skip_faults):
            report(item.seconds)
            cancelled[item.position] = item.channels_cancel
            faults[item.position], num_frames[item.position] = str(item.fault or ""), len(item.frames)
            draws = draw(item.span.ids[0], len(item.frames), self.seed)
            is_kept = draws < self.threshold
            kept[item.position] = (item.frames[is_kept], draws[is_kept])
        frames, draws = (np.concatenate(arrays) for arrays in zip(*kept, strict=True))
        found = {"frames": frames, "draws": draws, "num_frames": num_frames}
        return found | {"faults": np.array(faults), "cancelled": cancelled}


def draw(utterance_id: str, num_frames: int, seed: int) -> np.ndarray:
    """Numbers that the frames of an utterance draw, (num_frames,) float64 in [0, 1)."""
    digest = hashlib.sha256(utterance_id.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")]).random(num_frames)


def sample_frames(
    shards: Shards, description: ExtractorDescription, clusters: int, options: SampleOptions
) -> tuple[np.ndarray, SampleDescription]:
    """Sample the frames of a manifest, of drawn utterances where these are enough.

    Args:
        shards: the audio.
        description: of the extractor.
        clusters: of the k-means that is to be fitted.
        options: of the sample.

    Returns:
        frames: (F, D) float32, F at most max_frames.
        sample: how they were drawn.

    Raises:
        AudioError, ExtractorError, PreprocessError, OutputError: see `Shards.compute`.
    """
    of_utterances, portion_of_frames = len(shards.spans), options.portion
    drawn = draw_utterances(shards.spans, options.portion, options.seed)
    if options.portion < 1 and are_enough(drawn, clusters, description.frame_shift_seconds):
        shards.keep(drawn)
        portion_of_frames = 1.0
        hours = shards.seconds / 3600
        logger.info("k-means takes %d of %d utterances, %.1f hours", len(drawn), of_utterances, hours)
    expected_frames = shards.seconds / description.frame_shift_seconds
    task = SampleTask(
        description=description,
        device=shards.options.device,
        threshold=min(portion_of_frames, _highest_draw(expected_frames, options.max_frames)),
        seed=options.seed,
        skip_faults=shards.options.faults.skips,
    )
    shards.compute(task)
    unload_extractor()  # the sample needs the memory
    frames = _gather(shards, description.width, task.threshold, portion_of_frames, options.max_frames)
    num_frames = np.concatenate([arrays["num_frames"] for _, arrays in shards.results()])
    return frames, SampleDescription(
        drawn="frames" if portion_of_frames == options.portion else "utterances",
        utterances=int(np.count_nonzero(num_frames)),
        of_utterances=of_utterances,
        of_frames=int(num_frames.sum()),
    )


def _gather(shards: Shards, width: int, threshold: float, portion: float, max_frames: int) -> np.ndarray:
    """Put the sample together, (F, D) float32.

    Args:
        shards: with results of `SampleTask`.
        width: D.
        threshold: that the task kept frames below.
        portion: of the frames that is asked for.
        max_frames: F, at most.
    """
    draws = np.concatenate([arrays["draws"] for _, arrays in shards.results()])
    if len(draws) > max_frames:
        threshold = np.partition(draws, max_frames)[max_frames]
    num_frames = np.count_nonzero(draws < threshold)
    if threshold < portion:
        logger.warning("the sample was cut to %d frames by --max-frames", num_frames)
    sample = np.empty((num_frames, width), dtype=np.float32)
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
