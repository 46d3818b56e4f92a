"""The nearest centroid of frames: numpy on a CPU, torch on another device."""

import numpy as np

from ..errors import MismatchError

# In one matrix product:
MAX_FRAMES = 4096
MAX_ELEMENTS = 2**23  # frames x centroids: 33 MB


class NearestCentroid:
    """Finds the nearest of `centroids` (K, D) float32 by Euclidean distance.

    `device`, a torch device such as `cuda`, is where the matrix products are computed.
    """

    def __init__(self, centroids: np.ndarray, device: str = "cpu") -> None:
        self.centroids = centroids
        self._size = min(MAX_FRAMES, max(1, MAX_ELEMENTS // len(centroids)))
        self._scorer: _CpuScorer | _DeviceScorer
        self._scorer = _CpuScorer(centroids) if device == "cpu" else _DeviceScorer(centroids, device)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Labels of frames; two devices may differ where two centroids are equally near but for rounding.

        Args:
            frames: (T, D) float32.

        Returns:
            (T,) int64 in 0..K - 1.

        Raises:
            MismatchError: the widths differ.
        """
        if frames.shape[1] != self.centroids.shape[1]:
            raise MismatchError(
                f"frames are {frames.shape[1]} wide, the centroids {self.centroids.shape[1]}",
                advice="use the extractor of the k-means",
            )
        labels = np.empty(len(frames), dtype=np.int64)
        for begin in range(0, len(frames), self._size):
            rows = slice(begin, begin + self._size)
            labels[rows] = self._scorer.nearest(frames[rows])
        return labels

    def squared_distances(self, frames: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Squared distances of frames (T, D) to the centroids with these labels, (T,) float32."""
        distances = np.empty(len(frames), dtype=np.float32)
        for begin in range(0, len(frames), self._size):
            rows = slice(begin, begin + self._size)
            differences = frames[rows] - self.centroids[labels[rows]]
            distances[rows] = np.einsum("td,td->t", differences, differences)
        return distances


# |x - c|^2 = |x|^2 + 2 (|c|^2 / 2 - x.c), and |x|^2 is the same for every c.


class _CpuScorer:
    def __init__(self, centroids: np.ndarray) -> None:
        self._centroids = centroids
        self._half_squares = 0.5 * np.einsum("kd,kd->k", centroids, centroids)

    def nearest(self, frames: np.ndarray) -> np.ndarray:
        products = frames @ self._centroids.T
        np.subtract(self._half_squares, products, out=products)
        return products.argmin(axis=1)


class _DeviceScorer:
    def __init__(self, centroids: np.ndarray, device: str) -> None:
        import torch

        self._centroids = torch.from_numpy(centroids).to(device)
        self._half_squares = 0.5 * self._centroids.square().sum(1)

    def nearest(self, frames: np.ndarray) -> np.ndarray:
        import torch

        on_device = torch.from_numpy(frames).to(self._centroids.device)
        return torch.addmm(self._half_squares, on_device, self._centroids.T, alpha=-1).argmin(dim=1).cpu().numpy()
