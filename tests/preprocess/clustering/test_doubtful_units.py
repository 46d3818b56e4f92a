"""Units that say little. Truth: where the centroids were put, and distances one by one."""

import numpy as np
import pytest

from preprocess.clustering import doubtful_units
from preprocess.clustering.doubtful_units import find_doubtful_units, near_equal_pairs
from preprocess.clustering.lloyd import fit_centroids


@pytest.fixture
def centroids() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((300, 16)).astype(np.float32)


def test_pairs_are_those_within_a_tenth_of_the_usual_distance_wherever_all_lie(centroids, monkeypatch):
    monkeypatch.setattr(doubtful_units, "CHUNK", 70)
    assert near_equal_pairs(centroids) == ()
    distances = np.linalg.norm(centroids[:, None] - centroids, axis=2) + np.diag(np.full(300, np.inf))
    usual = np.median(distances.min(axis=1))
    step = np.zeros(16, dtype=np.float32)
    for share, is_near in ((0.0, True), (0.09, True), (0.12, False)):
        step[3] = share * usual
        centroids[200] = centroids[7] + step
        centroids[299] = centroids[40] + step
        for far in (0, 1000):  # far from the origin, where squares cancel
            assert near_equal_pairs(centroids + np.float32(far)) == (((7, 200), (40, 299)) if is_near else ())


def test_units_are_named_with_their_numbers_in_log_and_card(centroids, caplog):
    centroids[[5, 8]] = centroids[2]
    sizes = np.ones(300, dtype=np.int64)
    sizes[np.arange(0, 24, 2)] = 0
    found = find_doubtful_units(centroids, sizes)
    assert found.empty == tuple(range(0, 24, 2))
    assert found.near_equal == ((2, 5), (2, 8))
    assert "no frame fell to 12 of 300 units: 0, 2, 4, 6, 8, 10, 12, 14, 16, 18 and 2 more;" in caplog.text
    assert "2 pairs of units have nearly equal centroids" in caplog.text and ": 2 and 5, 2 and 8;" in caplog.text


@pytest.mark.parametrize("number", [1, 2])
def test_few_units_that_lie_apart_are_not_warned_of(number: int, centroids, caplog):
    found = find_doubtful_units(centroids[:number], np.ones(number))
    assert (found.empty, found.near_equal, caplog.text) == ((), (), "")


def test_more_clusters_than_there_are_different_frames_are_found():
    frames = np.repeat(np.eye(6, dtype=np.float32), 100, axis=0)
    centroids, _, sizes = fit_centroids(frames, 8, seed=0)
    found = find_doubtful_units(centroids, sizes)
    assert sizes.sum() == 600 and len(found.empty) == 2 and len(found.near_equal) >= 2
