"""Frames and centroids of k-means on a torch device; the host waits for the results of a pass alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..speech.precision import float32_products
from .frame_passes import FramePass
from .nearest_centroid import tie_tolerance

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MAX_ELEMENTS = 2**26  # frames x centroids in one matrix product: 0.3 GB
SHARE = 0.5  # of the free memory, that frames or a block of them may fill
BLOCKS_AHEAD = 2  # that are on their way while one is worked on, where not all frames fit


class DeviceCentroids:
    """Centroids (K, D) float32 on a device; products are computed in full float32."""

    def __init__(self, centroids: np.ndarray, device: str) -> None:
        import torch

        self.centroids = torch.from_numpy(centroids).to(device)
        self._half_squares = 0.5 * self.centroids.square().sum(1)
        self._tie_tolerance = tie_tolerance(centroids)

    def find(self, frames: Tensor, count_ties: bool) -> tuple[Tensor, Tensor]:
        """Labels (T,) int64 of frames (T, D), and () int64 how many are at ties; 0 where these are not counted."""
        import torch

        with float32_products("ieee"):
            scores = torch.addmm(self._half_squares, frames, self.centroids.T, alpha=-1)
        labels = scores.argmin(dim=1)
        if not count_ties:
            return labels, labels.new_zeros(())
        best = scores.gather(1, labels[:, None])
        second = scores.scatter_(1, labels[:, None], float("inf")).amin(dim=1)
        return labels, (second - best[:, 0] <= self._tie_tolerance * frames.norm(dim=1)).sum()

    def find_from_memory(self, frames: np.ndarray, count_ties: bool) -> tuple[np.ndarray, int]:
        """The same of an array of numpy."""
        import torch

        labels, ties = self.find(torch.from_numpy(frames).to(self.centroids.device), count_ties)
        return labels.cpu().numpy(), int(ties) if count_ties else 0

    def squared_distances(self, frames: Tensor, labels: Tensor) -> Tensor:
        """Squared distances of frames (T, D) to the centroids with these labels, (T,)."""
        return (frames - self.centroids[labels]).square_().sum(dim=1)


class FramesOnDevice:
    """Frames (F, D) that lie on the device, or in memory where they do not fit; see `Frames`."""

    def __init__(self, frames: np.ndarray, device: str) -> None:
        import torch

        self._in_memory, self._device = torch.from_numpy(frames), torch.device(device)
        fits = frames.nbytes <= SHARE * free_bytes(self._device)
        self._there = self._in_memory.to(self._device) if fits else None
        self._free = SHARE * free_bytes(self._device)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """See `Frames.take`."""
        return self._in_memory.numpy()[rows]

    def distances(self, rows: np.ndarray, centroids: np.ndarray) -> np.ndarray:
        """See `Frames.distances`."""
        import torch

        placed = DeviceCentroids(centroids, str(self._device))
        found = [
            placed.squared_distances(some, placed.find(some, count_ties=False)[0])
            for some in self._blocks(rows, len(centroids))
        ]
        return torch.cat(found).cpu().numpy()

    def go_over(
        self, rows: np.ndarray, centroids: np.ndarray, report: Callable[[int], object], count_ties: bool = False
    ) -> FramePass:
        """See `Frames.go_over`."""
        import torch

        placed = DeviceCentroids(centroids, str(self._device))
        sums = torch.zeros(centroids.shape, dtype=_widest(self._device), device=self._device)
        counts = torch.zeros(len(centroids), dtype=torch.int64, device=self._device)
        ties, distances = torch.zeros((), dtype=torch.int64, device=self._device), []
        for some in self._blocks(rows, len(centroids)):
            labels, of_some = placed.find(some, count_ties)
            distances.append(placed.squared_distances(some, labels))
            # Unlike index_add_, this adds in the same order each time, on a GPU too.
            sums.index_put_((labels,), some.to(sums.dtype), accumulate=True)
            counts.index_add_(0, labels, torch.ones_like(labels))
            ties += of_some
            report(len(some))
        totals = (sums.cpu().numpy().astype(np.float64, copy=False), counts.cpu().numpy())
        return FramePass(*totals, torch.cat(distances).cpu().numpy(), int(ties))

    def _blocks(self, rows: np.ndarray, num_clusters: int) -> Iterator[Tensor]:
        """The frames of these rows on the device, as many at once as memory allows."""
        import torch

        width = self._in_memory.shape[1]
        bytes_of_a_row = 4 * num_clusters + (4 + 4 + 8) * width  # scores, frames, differences, float64
        size = max(1, int(min(MAX_ELEMENTS / num_clusters, self._free / bytes_of_a_row)))
        chosen = torch.from_numpy(rows)
        if self._there is not None:
            for part in chosen.to(self._device).split(size):
                yield self._there[part]
            return
        done: list[torch.cuda.Event] = []
        for part in chosen.split(size):
            yield self._send(self._in_memory[part])
            if self._device.type == "cuda":
                done.append(torch.cuda.Event())
                done[-1].record()
                if len(done) == BLOCKS_AHEAD:  # no more pinned memory than of so many
                    done.pop(0).synchronize()

    def _send(self, some: Tensor) -> Tensor:
        if self._device.type != "cuda":
            return some.to(self._device)
        return some.pin_memory().to(self._device, non_blocking=True)  # while the GPU works on the blocks before


def free_bytes(device: torch.device) -> float:
    """Memory of a device that a tensor can take; infinite where nobody says."""
    import torch

    if device.type != "cuda":
        return float("inf")
    held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # by torch, for tensors to come
    return torch.cuda.mem_get_info(device)[0] + held


def _widest(device: torch.device) -> torch.dtype:
    import torch

    return torch.float32 if device.type == "mps" else torch.float64  # which mps lacks
