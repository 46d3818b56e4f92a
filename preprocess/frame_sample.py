"""A uniform sample of the frames of a corpus, gathered while its audio is read.

Every frame draws a number in [0, 1) from a generator of (seed, utterance id). Kept are the frames with numbers below
the portion, and of these the `max_frames` with the lowest numbers: the same, whatever the shards and their workers.
"""

import argparse
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .extractors import load_described, unload_extractor
from .frames import Segment, extract_frames
from .shards import Arrays, Shards

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleTask:
    """Task of `Shards`: the frames of some segments with numbers below `threshold`, and these numbers.

    Arrays: frames (F, D) float32 and draws (F,) float64, in the order of the segments; faults.
    """

    extractor: tuple[tuple[str, Any], ...]  # items of its description in a card
    device: str
    threshold: float
    seed: int
    skip_faults: bool

    def __call__(self, segments: Sequence[Segment]) -> Arrays:
        extractor = load_described(dict(self.extractor), self.device)
        faults = [""] * len(segments)
        kept = [(np.zeros((0, extractor.width), dtype=np.float32), np.zeros(0))] * len(segments)
        for item in extract_frames(segments, extractor, self.skip_faults):
            faults[item.position] = item.fault
            draws = draw(item.segment.ids[0], len(item.frames), self.seed)
            is_kept = draws < self.threshold
            kept[item.position] = (item.frames[is_kept], draws[is_kept])
        frames, draws = (np.concatenate(arrays) for arrays in zip(*kept, strict=True))
        return {"frames": frames, "draws": draws, "faults": np.array(faults)}


def draw(utterance_id: str, num_frames: int, seed: int) -> np.ndarray:
    """(num_frames,) float64: the numbers that the frames of an utterance draw."""
    digest = hashlib.sha256(utterance_id.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")]).random(num_frames)


def sample_frames(shards: Shards, extractor: dict[str, Any], arguments: argparse.Namespace) -> np.ndarray:
    """Sample the frames of all audio of a manifest.

    Args:
        shards: the audio.
        extractor: its description in a card.
        arguments: device, portion, max_frames, seed, on_error.

    Returns:
        (F, D) float32, F at most max_frames.

    Raises:
        AudioError, ExtractorError, PreprocessError, OutputError: see `Shards.compute`.
    """
    max_frames = arguments.max_frames
    task = SampleTask(
        extractor=tuple(extractor.items()),
        device=arguments.device,
        threshold=min(arguments.portion, _highest_draw(shards.seconds / extractor["frame_shift_seconds"], max_frames)),
        seed=arguments.seed,
        skip_faults=arguments.on_error == "skip",
    )
    shards.compute(task)
    unload_extractor()  # the sample needs the memory
    draws = np.concatenate([arrays["draws"] for _, arrays in shards.results()])
    threshold = task.threshold
    if len(draws) > max_frames:
        threshold = np.partition(draws, max_frames)[max_frames]
    num_frames = np.count_nonzero(draws < threshold)
    if threshold < arguments.portion:
        logger.warning("the sample was cut to %d frames by --max-frames", num_frames)
    sample = np.empty((num_frames, extractor["width"]), dtype=np.float32)
    end = 0
    for _, arrays in shards.results():  # so that only one shard's frames are in memory beside the sample
        is_kept = arrays["draws"] < threshold
        begin, end = end, end + int(np.count_nonzero(is_kept))
        sample[begin:end] = arrays["frames"][is_kept]
    return sample


def _highest_draw(expected_frames: float, max_frames: int) -> float:
    """A bound on the numbers of the `max_frames` that will be left, so that shards keep few frames beside them.

    It leaves a margin of five standard deviations, for a corpus of which a fifth turns out to give no frames.
    """
    return (max_frames + 5 * max_frames**0.5) / max(0.8 * expected_frames, 1)
