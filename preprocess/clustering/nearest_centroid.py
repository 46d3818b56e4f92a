"""The nearest centroid of frames: numpy on a CPU, torch on another device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import MismatchError

if TYPE_CHECKING:
    from .device_frames import DeviceCentroids

# In one matrix product:
MAX_FRAMES = 4096
MAX_ELEMENTS = 2**23  # frames x centroids: 33 MB


class NearestCentroid:
    """Finds the nearest of `centroids` (K, D) float32 by Euclidean distance.

    `device`, a torch device such as `cuda`, is where the matrix products are computed.
    """

    def __init__(self, centroids: np.ndarray, device: str = "cpu") -> None:
        self.centroids = centroids
        self.size = min(MAX_FRAMES, max(1, MAX_ELEMENTS // len(centroids)))  # frames at once
        self._on_device: DeviceCentroids | None = None
        if device != "cpu":
            from .device_frames import DeviceCentroids

            self._on_device = DeviceCentroids(centroids, device)
        self._half_squares = 0.5 * np.einsum("kd,kd->k", centroids, centroids)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Labels of frames; two devices may differ at ties, see `tie_tolerance`.

        Args:
            frames: (T, D) float32.

        Returns:
            (T,) int64 in 0..K - 1.

        Raises:
            MismatchError: the widths differ.
        """
        return self.find(frames, count_ties=False)[0]

    def find(self, frames: np.ndarray, count_ties: bool) -> tuple[np.ndarray, int]:
        """Labels as by a call, and how many of the frames are at ties; 0 where these are not counted."""
        if frames.shape[1] != self.centroids.shape[1]:
            raise MismatchError(
                f"frames are {frames.shape[1]} wide, the centroids {self.centroids.shape[1]}",
                advice="use the extractor of the k-means",
            )
        find = self._find if self._on_device is None else self._on_device.find_from_memory
        labels, ties = np.empty(len(frames), dtype=np.int64), 0
        for begin in range(0, len(frames), self.size):
            rows = slice(begin, begin + self.size)
            labels[rows], of_rows = find(frames[rows], count_ties)
            ties += of_rows
        return labels, ties

    def squared_distances(self, frames: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Squared distances of frames (T, D) to the centroids with these labels, (T,) float32."""
        distances = np.empty(len(frames), dtype=np.float32)
        for begin in range(0, len(frames), self.size):
            rows = slice(begin, begin + self.size)
            differences = frames[rows] - self.centroids[labels[rows]]
            distances[rows] = np.einsum("td,td->t", differences, differences)
        return distances

    def _find(self, frames: np.ndarray, count_ties: bool) -> tuple[np.ndarray, int]:
        # |x - c|^2 = |x|^2 + 2 (|c|^2 / 2 - x.c), and |x|^2 is the same for every c.
        scores = frames @ self.centroids.T
        np.subtract(self._half_squares, scores, out=scores)
        labels = scores.argmin(axis=1)
        if not count_ties:
            return labels, 0
        rows = np.arange(len(frames))
        best = scores[rows, labels]
        scores[rows, labels] = np.inf
        tolerance = tie_tolerance(self.centroids) * np.linalg.norm(frames, axis=1)
        return labels, int(np.count_nonzero(scores.min(axis=1) - best <= tolerance))


def tie_tolerance(centroids: np.ndarray) -> float:
    """Difference of two centroids' x.c - |c|^2 / 2 that rounding can make, for a frame x of length 1.

    It is the size that the error of a sum of D products in float32 usually has at most; the bound is about sqrt(D)
    times as large.
    """
    longest = float(np.linalg.norm(centroids, axis=1).max())
    return float(np.finfo(np.float32).eps) * centroids.shape[1] ** 0.5 * longest
