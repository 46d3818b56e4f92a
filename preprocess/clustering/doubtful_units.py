"""Units of a k-means that say little: those without frames, and those whose centroids are nearly one."""

import logging
from collections.abc import Sequence

import numpy as np

from ..files.cards.stage_cards import DoubtfulUnits

logger = logging.getLogger(__name__)

# Of the median distance to the nearest other centroid. Of 1000 centroids of Whisper's frames none is nearer to another
# than 0.57 of it; those of frames that are equal but for rounding, such as digital silence, are at a millionth.
NEAR = 0.1
CHUNK = 512  # centroids compared with all at a time
SHOWN = 10


def find_doubtful_units(centroids: np.ndarray, sizes: np.ndarray) -> DoubtfulUnits:
    """Find doubtful units, and log a warning for each kind.

    Args:
        centroids: (K, D) float32.
        sizes: (K,) frames of the sample that fell to each.
    """
    empty, near_equal = tuple(np.flatnonzero(sizes == 0).tolist()), near_equal_pairs(centroids)
    if empty:
        logger.warning(
            "no frame fell to %d of %d units: %s; ask for fewer --clusters, or give more various audio",
            len(empty),
            len(centroids),
            name_some(empty),
        )
    if near_equal:
        logger.warning(
            "%d pairs of units have nearly equal centroids, so that chance decides which of the two is heard: %s; ask "
            "for fewer --clusters, or give more various audio (digital silence is often the cause)",
            len(near_equal),
            name_some([f"{one} and {other}" for one, other in near_equal]),
        )
    return DoubtfulUnits(empty, near_equal)


def near_equal_pairs(centroids: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Pairs of neighbours among centroids (K, D) that are equal, or nearly so; see NEAR."""
    if len(centroids) < 2:
        return ()
    vectors = (centroids - centroids.mean(axis=0)).astype(np.float64)
    squares = np.einsum("kd,kd->k", vectors, vectors)
    nearest, distances = np.empty(len(vectors), dtype=np.int64), np.empty(len(vectors))
    for begin in range(0, len(vectors), CHUNK):
        rows = np.arange(begin, min(begin + CHUNK, len(vectors)))
        squared = squares[rows, None] + squares - 2 * vectors[rows] @ vectors.T
        squared[np.arange(len(rows)), rows] = np.inf
        nearest[rows] = squared.argmin(axis=1)
        distances[rows] = np.linalg.norm(vectors[rows] - vectors[nearest[rows]], axis=1)  # exact where they are equal
    is_near = distances <= NEAR * np.median(distances)
    pairs = np.sort(np.stack([np.flatnonzero(is_near), nearest[is_near]], axis=1), axis=1)
    return tuple((int(one), int(other)) for one, other in np.unique(pairs, axis=0))


def name_some(items: Sequence[object]) -> str:
    """The first of many, and the number of the others."""
    named = ", ".join(map(str, items[:SHOWN]))
    return f"{named} and {len(items) - SHOWN} more" if len(items) > SHOWN else named
