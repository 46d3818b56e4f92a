"""Passes over the frames of a sample, for k-means: here in memory, in `device_frames` on another device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .nearest_centroid import MAX_FRAMES, NearestCentroid


@dataclass(frozen=True)
class FramePass:
    """What a pass found of some frames and their nearest centroids.

    Attributes:
        sums: (K, D) float64, of the frames of each centroid.
        counts: (K,) int64, of the frames of each centroid.
        distances: (R,) float32, squared, of each frame.
        ties: frames that are as near to a second centroid, to rounding; 0 where they are not counted.
    """

    sums: np.ndarray
    counts: np.ndarray
    distances: np.ndarray
    ties: int

    @property
    def inertia_per_frame(self) -> float:
        """Mean squared distance."""
        return float(self.distances.mean(dtype=np.float64))


class Frames(Protocol):
    """The frames (F, D) of a sample, wherever they lie; what comes back is in memory."""

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Frames (R, D) float32 of these rows."""
        ...

    def distances(self, rows: np.ndarray, centroids: np.ndarray) -> np.ndarray:
        """Squared distances of these rows to the nearest of centroids (K, D), (R,) float32."""
        ...

    def go_over(
        self, rows: np.ndarray, centroids: np.ndarray, report: Callable[[int], object], count_ties: bool = False
    ) -> FramePass:
        """Look at these rows, and at the nearest of centroids (K, D) of each; `report` is told of how many, in turn."""
        ...


def place_frames(frames: np.ndarray, device: str) -> Frames:
    """Frames (F, D) float32, on a torch device where that is not the CPU."""
    if device == "cpu":
        return FramesInMemory(frames)
    from .device_frames import FramesOnDevice

    return FramesOnDevice(frames, device)


class FramesInMemory:
    """Frames in an array of numpy; see `Frames`."""

    def __init__(self, frames: np.ndarray) -> None:
        self._frames = frames

    def take(self, rows: np.ndarray) -> np.ndarray:
        """See `Frames.take`."""
        return self._frames[rows]

    def distances(self, rows: np.ndarray, centroids: np.ndarray) -> np.ndarray:
        """See `Frames.distances`."""
        nearest = NearestCentroid(centroids)
        distances = np.empty(len(rows), dtype=np.float32)
        for begin in range(0, len(rows), nearest.size):
            some = self._frames[rows[begin : begin + nearest.size]]
            distances[begin : begin + len(some)] = nearest.squared_distances(some, nearest(some))
        return distances

    def go_over(
        self, rows: np.ndarray, centroids: np.ndarray, report: Callable[[int], object], count_ties: bool = False
    ) -> FramePass:
        """See `Frames.go_over`."""
        from scipy.sparse import csr_matrix

        nearest, num_clusters = NearestCentroid(centroids), len(centroids)
        sums, counts = np.zeros(centroids.shape), np.zeros(num_clusters, dtype=np.int64)
        distances, ties = np.empty(len(rows), dtype=np.float32), 0
        for begin in range(0, len(rows), MAX_FRAMES):
            some = self._frames[rows[begin : begin + MAX_FRAMES]]
            labels, of_some = nearest.find(some, count_ties)
            distances[begin : begin + len(some)] = nearest.squared_distances(some, labels)
            ones, columns = np.ones(len(some), np.float32), np.arange(len(some))
            sums += csr_matrix((ones, (labels, columns)), shape=(num_clusters, len(some))) @ some
            counts += np.bincount(labels, minlength=num_clusters)
            ties += of_some
            report(len(some))
        return FramePass(sums, counts, distances, ties)
