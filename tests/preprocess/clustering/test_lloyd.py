"""K-means against scikit-learn's, and what it promises of seeds, memory and empty clusters."""

import itertools
import tracemalloc

import numpy as np
import pytest
from sklearn.cluster import KMeans, MiniBatchKMeans

from preprocess.clustering.frame_passes import FramesInMemory
from preprocess.clustering.lloyd import fit_centroids, improve, sample_sizes, spread_start
from preprocess.errors import NotFiniteError, PreprocessError


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((6000, 24)).astype(np.float32)


def ignore(num_frames: int) -> None:
    pass


def test_an_iteration_is_scikit_learns(frames):
    start = frames[:40]
    expected = KMeans(40, init=start, n_init=1, max_iter=1, algorithm="lloyd").fit(frames)
    found = improve(FramesInMemory(frames), np.arange(len(frames)), start, ignore)
    np.testing.assert_allclose(found, expected.cluster_centers_, atol=1e-5)


def test_a_frame_that_is_not_finite_is_named(frames):
    frames[17, 3] = np.inf
    with pytest.raises(NotFiniteError, match="^frames holds NaN or infinite values in row 17 of 6000$"):
        fit_centroids(frames, 10, seed=0)


@pytest.mark.parametrize(
    ("clusters", "warned"), [(150, ""), (151, "6000 frames are 39.7 for each of 151 clusters; with fewer")]
)
def test_fewer_than_forty_frames_a_cluster_are_warned_of(frames, caplog, clusters: int, warned: str):
    fit_centroids(frames, clusters, seed=0)
    assert warned in caplog.text and bool(caplog.text) == bool(warned)


def test_an_iteration_looks_at_the_rows_it_is_given_alone(frames):
    rows = np.arange(0, 6000, 3)
    found = improve(FramesInMemory(frames), rows, frames[:40], ignore)
    expected = improve(FramesInMemory(frames[rows]), np.arange(len(rows)), frames[:40], ignore)
    assert np.array_equal(found, expected)


def test_centroids_without_frames_go_to_the_farthest_frames(frames):
    frames[[17, 4711]] += 50
    start = np.concatenate([frames[:3], np.full((2, 24), 1e4, dtype=np.float32)])
    centroids = improve(FramesInMemory(frames), np.arange(len(frames)), start, ignore)
    assert {row.tobytes() for row in centroids[3:]} == {frames[17].tobytes(), frames[4711].tobytes()}


def test_inertia_is_within_one_percent_of_the_fields_recipe():
    random = np.random.default_rng(0)
    centres = 2 * random.standard_normal((300, 16))
    frames = (centres[random.integers(300, size=8000)] + random.standard_normal((8000, 16))).astype(np.float32)
    centroids, inertia, _ = fit_centroids(frames, 100, seed=0)
    recipe = {"batch_size": 2000, "max_no_improvement": 100, "tol": 0.0, "reassignment_ratio": 0.0}
    expected = MiniBatchKMeans(100, init="k-means++", n_init=20, random_state=0, **recipe).fit(frames)
    assert inertia < 1.01 * expected.inertia_ / len(frames)
    distances = ((frames[:, None] - centroids[None]) ** 2).sum(axis=2)
    assert inertia == pytest.approx(distances.min(axis=1).mean(), rel=1e-5)


def test_well_separated_clusters_are_found():
    random = np.random.default_rng(0)
    centres = 100 * random.standard_normal((6, 10))
    frames = (np.repeat(centres, 200, axis=0) + random.standard_normal((1200, 10))).astype(np.float32)
    centroids, inertia, _ = fit_centroids(frames, 6, seed=0)
    assert centroids.dtype == np.float32
    nearest = np.linalg.norm(centres[:, None] - centroids[None], axis=2).min(axis=1)
    assert nearest.max() < 1
    assert inertia == pytest.approx(10, rel=0.05)  # the variance of ten standard normals


def test_one_seed_repeats_to_the_bit_and_two_seeds_differ(frames):
    first, again, other = (fit_centroids(frames, 20, seed)[0] for seed in (0, 0, 1))
    assert first.tobytes() == again.tobytes()
    assert not np.allclose(np.sort(first, axis=0), np.sort(other, axis=0), atol=1e-3)


def test_another_device_gives_the_same_to_rounding(frames):
    ours, inertia, _ = fit_centroids(frames, 20, seed=0)
    there, inertia_there, _ = fit_centroids(frames, 20, seed=0, device="cpu:0")  # torch in place of numpy
    assert inertia_there == pytest.approx(inertia, rel=1e-3)
    np.testing.assert_allclose(there, ours, atol=1e-3)


def test_samples_double_until_they_are_all_frames():
    assert sample_sizes(317_033, 2000) == [79_258, 158_516, 317_033]
    assert sample_sizes(30_000, 2000) == [30_000]
    for num_frames, clusters in ((1_000_001, 7), (640, 2)):
        sizes = sample_sizes(num_frames, clusters)
        assert sizes[-1] == num_frames and 20 * clusters <= sizes[0] < 40 * clusters
        assert all(2 <= after / before <= 2.1 for before, after in itertools.pairwise(sizes))


def test_the_start_is_spread_over_far_groups():
    random = np.random.default_rng(0)
    frames = random.standard_normal((2000, 8)).astype(np.float32)
    far = np.arange(10)
    frames[far] += 1000 * random.standard_normal((10, 8)).astype(np.float32)
    for seed in range(5):  # at random, a start of 200 would hold one of the ten
        start = spread_start(FramesInMemory(frames), np.arange(2000), 200, np.random.default_rng(seed))
        assert start.shape == (200, 8)
        assert len(np.unique(start, axis=0)) == 200
        assert np.linalg.norm(frames[far, None] - start[None], axis=2).min(axis=1).max() < 1000
        assert (np.linalg.norm(start, axis=1) > 100).sum() >= 8


@pytest.mark.parametrize("num_distinct", [1, 5, 30])
def test_frames_that_are_equal_make_no_trouble(num_distinct: int):
    distinct = np.random.default_rng(0).standard_normal((num_distinct, 4)).astype(np.float32)
    frames = np.repeat(distinct, 60, axis=0)
    centroids, inertia, _ = fit_centroids(frames, 12, seed=0)
    assert centroids.shape == (12, 4) and np.isfinite(centroids).all()
    if num_distinct <= 12:
        assert inertia == pytest.approx(0, abs=1e-10)


def test_as_many_clusters_as_frames_are_the_frames(frames):
    centroids, inertia, _ = fit_centroids(frames[:50], 50, seed=0)
    assert inertia == 0
    assert {row.tobytes() for row in centroids} == {row.tobytes() for row in frames[:50]}


def test_memory_beside_the_frames_does_not_grow_with_them():
    random = np.random.default_rng(0)
    peaks = []
    for num_frames in (20_000, 80_000):
        frames = random.standard_normal((num_frames, 64), dtype=np.float32)
        tracemalloc.start()
        fit_centroids(frames, 16, seed=0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 0.2 * 60_000 * 64 * 4  # a few numbers a frame


def test_fewer_frames_than_clusters_are_refused_with_both_numbers(frames):
    with pytest.raises(PreprocessError, match="expected 100 or more, found 99"):
        fit_centroids(frames[:99], 100, seed=0)
