"""The task that makes deduplicated units of spans of audio: frames, nearest centroids, runs made one."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files.cards.stage_cards import KmeansCard
from ..files.units import deduplicate
from ..speech.devices import device_of_worker
from ..speech.extractors import load_described
from ..speech.frames import AudioSpan, extract_frames
from ..speech.shards import Arrays
from .centroids import load_kmeans
from .nearest_centroid import NearestCentroid


@dataclass(frozen=True)
class UnitsTask:
    """Task of `Shards`: the deduplicated units of some spans.

    Arrays: units and run_lengths (sum of U,) int32, one span after the other; num_units (S,) = U, num_frames (S,)
    and seconds (S,) of each; faults and cancelled.
    """

    kmeans: Path
    centroids_hash: str
    extractor_source: str | None  # where the extractor lies now; None: where the k-means' card says
    device: str
    skip_faults: bool

    def __call__(self, spans: Sequence[AudioSpan], report: Callable[[float], None]) -> Arrays:
        device = device_of_worker(self.device)
        nearest_centroid, card = _load_kmeans(self.kmeans, self.centroids_hash, device)
        extractor = load_described(card.extractor, device, self.extractor_source)
        nothing = np.zeros(0, dtype=np.int64)
        runs = [(nothing, nothing)] * len(spans)
        num_frames, seconds, faults = np.zeros(len(spans), np.int64), np.zeros(len(spans)), [""] * len(spans)
        cancelled = np.zeros(len(spans), dtype=bool)
        for item in extract_frames(spans, extractor, self.skip_faults):
            at = item.position
            runs[at] = deduplicate(nearest_centroid(item.frames))
            report(item.seconds)
            cancelled[at] = item.channels_cancel
            num_frames[at], seconds[at], faults[at] = len(item.frames), item.seconds, str(item.fault or "")
        units, run_lengths = (np.concatenate(arrays).astype(np.int32) for arrays in zip(*runs, strict=True))
        return {
            "units": units,
            "run_lengths": run_lengths,
            "num_units": np.array([len(units) for units, _ in runs]),
            "num_frames": num_frames,
            "seconds": seconds,
            "faults": np.array(faults),
            "cancelled": cancelled,
        }


@functools.lru_cache(maxsize=1)  # once a worker; the hash tells apart what lay in one folder at different times
def _load_kmeans(folder: Path, centroids_hash: str, device: str) -> tuple[NearestCentroid, KmeansCard]:
    centroids, card = load_kmeans(folder)
    return NearestCentroid(centroids, device), card
