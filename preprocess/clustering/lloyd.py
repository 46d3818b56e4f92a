"""K-means of many frames: Lloyd's iterations on samples that double until they hold all frames.

Most of the way is gone on small samples, and the last iterations see every frame, which mini-batches never do.
Measured against the field's recipe by examples/benchmarks/kmeans.py.
"""

import logging
from collections.abc import Callable

import numpy as np

from ..errors import PreprocessError
from ..files.cards.stage_cards import FEW_FRAMES_PER_CLUSTER
from ..files.program.progress import show_progress
from ..files.reading.finite import check_finite
from .frame_passes import Frames, place_frames

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
        device: where it is computed; a torch device such as `cuda`, which also holds the frames if they fit.

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
    placed = place_frames(frames, device)
    with show_progress("k-means", " frames", ITERATIONS * sum(samples) + len(frames), scale=True) as progress:
        centroids = spread_start(placed, np.sort(order[: samples[0]]), clusters, random)
        for size in samples:
            rows = np.sort(order[:size])
            for _ in range(ITERATIONS):
                centroids = improve(placed, rows, centroids, progress.update)
        last = placed.go_over(np.arange(len(frames)), centroids, progress.update, count_ties=True)
    if last.ties:
        logger.info(
            "%d of %d frames (%.2g %%) are equally near to two units, to the rounding of float32: a GPU and a CPU may "
            "differ in which of the two they get",
            last.ties,
            len(frames),
            100 * last.ties / len(frames),
        )
    return centroids, last.inertia_per_frame, last.counts


def sample_sizes(num_frames: int, clusters: int) -> list[int]:
    """Frames in each sample, ascending: all of them last, and about half as many in each before."""
    sizes = [num_frames]
    while sizes[0] // 2 >= FIRST_SAMPLE * clusters:
        sizes.insert(0, sizes[0] // 2)
    return sizes


def spread_start(frames: Frames, rows: np.ndarray, clusters: int, random: np.random.Generator) -> np.ndarray:
    """Initial centroids: frames drawn in rounds, each likely in proportion to its squared distance from those before.

    That is k-means++ (Arthur and Vassilvitskii 2007) with many draws at once, as in k-means|| (Bahmani et al. 2012).

    Args:
        frames: (F, D) float32.
        rows: (R,) of the frames to draw from.
        clusters: K, at most R.
        random: draws.

    Returns:
        (K, D) float32.
    """
    distances = np.full(len(rows), np.inf)
    chosen: list[np.ndarray] = []
    for count in np.diff(np.linspace(0, clusters, min(START_ROUNDS, clusters) + 1).astype(int)):
        # The smallest of exponential numbers over weights are a weighted draw without replacement.
        weights = np.maximum(distances, np.finfo(np.float32).tiny) if chosen else 1.0
        keys = random.exponential(size=len(rows)) / weights
        chosen.append(frames.take(rows[np.argsort(keys, kind="stable")[:count]]))
        distances = np.minimum(distances, frames.distances(rows, chosen[-1]))
    return np.concatenate(chosen)


def improve(frames: Frames, rows: np.ndarray, centroids: np.ndarray, report: Callable[[int], object]) -> np.ndarray:
    """One iteration on some frames: each centroid becomes the mean of the frames that are nearest to it.

    A centroid without frames goes to one of the frames that lie farthest from theirs.

    Args:
        frames: (F, D) float32.
        rows: (R,) ascending, the frames to look at.
        centroids: (K, D) float32, before.
        report: is told how many frames were done, now and then.

    Returns:
        (K, D) float32.
    """
    found = frames.go_over(rows, centroids, report)
    means = (found.sums / np.maximum(found.counts, 1)[:, None]).astype(np.float32)
    is_empty = found.counts == 0
    if is_empty.any():
        farthest = np.argsort(-found.distances, kind="stable")[: np.count_nonzero(is_empty)]
        means[is_empty] = frames.take(rows[farthest])
    return means
