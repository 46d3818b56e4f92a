"""K-means of many frames: Lloyd's iterations on samples that double until they hold all frames.

Most of the way is gone on small samples, and the last iterations see every frame, which mini-batches never do.
Measured against the field's recipe by examples/benchmarks/kmeans.py.
"""

import logging
from collections.abc import Callable

import numpy as np

from ..errors import PreprocessError
from ..files.cards.stage_cards import FEW_FRAMES_PER_CLUSTER
from ..files.progress import show_progress
from ..files.reading.finite import check_finite
from .nearest_centroid import MAX_FRAMES, NearestCentroid

logger = logging.getLogger(__name__)

FIRST_SAMPLE = 20  # frames a cluster, at least
ITERATIONS = 10  # on each sample
START_ROUNDS = 10


def fit_centroids(
    frames: np.ndarray, clusters: int, seed: int, device: str = "cpu"
) -> tuple[np.ndarray, float, np.ndarray]:
    """Fit k-means.

    Args:
        frames: (F, D) float32; beside them, memory for at most 40 frames a cluster is taken.
        clusters: K, at most F.
        seed: of the samples and the initial centroids; the same seed gives the same bits on one machine.
        device: of the matrix products; a torch device such as `cuda`.

    Returns:
        centroids: (K, D) float32.
        inertia_per_frame: mean squared distance of the frames to their nearest centroid.
        sizes: (K,) frames that are nearest to each.

    Raises:
        NotFiniteError: a frame is NaN or infinite.
        PreprocessError: there are fewer frames than clusters.
    """
    check_finite({"frames": frames})
    if len(frames) < clusters:
        raise PreprocessError(
            f"k-means needs a frame for every cluster at least: expected {clusters} or more, found {len(frames)}",
            advice="sample a larger --portion, give more audio, or ask for fewer --clusters",
        )
    if len(frames) < FEW_FRAMES_PER_CLUSTER * clusters:
        logger.warning(
            "%d frames are %.1f for each of %d clusters; with fewer than %d units are unreliable: sample a larger "
            "--portion, give more audio, or ask for fewer --clusters",
            len(frames),
            len(frames) / clusters,
            clusters,
            FEW_FRAMES_PER_CLUSTER,
        )
    random = np.random.default_rng(seed)
    order = random.permutation(len(frames))
    samples = sample_sizes(len(frames), clusters)
    with show_progress("k-means", " frames", ITERATIONS * sum(samples) + len(frames), scale=True) as progress:
        centroids = spread_start(frames[np.sort(order[: samples[0]])], clusters, random, device)
        for size in samples:
            rows = np.sort(order[:size])
            for _ in range(ITERATIONS):
                centroids, _, _ = improve(frames, rows, NearestCentroid(centroids, device), progress.update)
        nearest = NearestCentroid(centroids, device)
        _, inertia, sizes = improve(frames, np.arange(len(frames)), nearest, progress.update)
    return centroids, inertia, sizes


def sample_sizes(num_frames: int, clusters: int) -> list[int]:
    """Frames in each sample, ascending: all of them last, and about half as many in each before."""
    sizes = [num_frames]
    while sizes[0] // 2 >= FIRST_SAMPLE * clusters:
        sizes.insert(0, sizes[0] // 2)
    return sizes


def spread_start(frames: np.ndarray, clusters: int, random: np.random.Generator, device: str) -> np.ndarray:
    """Initial centroids: frames drawn in rounds, each likely in proportion to its squared distance from those before.

    That is k-means++ (Arthur and Vassilvitskii 2007) with many draws at once, as in k-means|| (Bahmani et al. 2012).

    Returns:
        (K, D) float32.
    """
    distances = np.ones(len(frames), dtype=np.float64)
    chosen = np.empty((0, frames.shape[1]), dtype=np.float32)
    for count in np.diff(np.linspace(0, clusters, min(START_ROUNDS, clusters) + 1).astype(int)):
        # The smallest of exponential numbers over weights are a weighted draw without replacement.
        keys = random.exponential(size=len(frames)) / np.maximum(distances, np.finfo(np.float32).tiny)
        new = frames[np.argsort(keys, kind="stable")[:count]]
        nearest = NearestCentroid(new, device)
        found = nearest.squared_distances(frames, nearest(frames))
        distances = np.minimum(distances, found) if len(chosen) else found.astype(np.float64)
        chosen = np.concatenate([chosen, new])
    return chosen


def improve(
    frames: np.ndarray, rows: np.ndarray, nearest: NearestCentroid, report: Callable[[int], object]
) -> tuple[np.ndarray, float, np.ndarray]:
    """One iteration on some frames: each centroid becomes the mean of the frames that are nearest to it.

    A centroid without frames goes to one of the frames that lie farthest from theirs.

    Args:
        frames: (F, D) float32.
        rows: (R,) ascending, the frames to look at.
        nearest: the centroids before.
        report: is told how many frames were done, now and then.

    Returns:
        centroids: (K, D) float32.
        inertia_per_frame: mean squared distance of these frames to the centroids before.
        sizes: (K,) frames that were nearest to each of these.
    """
    from scipy.sparse import csr_matrix

    num_clusters, width = nearest.centroids.shape
    sums, counts = np.zeros((num_clusters, width)), np.zeros(num_clusters, dtype=np.int64)
    distances = np.empty(len(rows), dtype=np.float32)
    for begin in range(0, len(rows), MAX_FRAMES):
        some = frames[rows[begin : begin + MAX_FRAMES]]
        labels = nearest(some)
        distances[begin : begin + len(some)] = nearest.squared_distances(some, labels)
        ones, columns = np.ones(len(some), np.float32), np.arange(len(some))
        members = csr_matrix((ones, (labels, columns)), shape=(num_clusters, len(some)))
        sums += members @ some
        counts += np.bincount(labels, minlength=num_clusters)
        report(len(some))
    centroids = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
    is_empty = counts == 0
    farthest = np.argsort(-distances, kind="stable")[: np.count_nonzero(is_empty)]
    centroids[is_empty] = frames[rows[farthest]]
    return centroids, float(distances.mean(dtype=np.float64)), counts
