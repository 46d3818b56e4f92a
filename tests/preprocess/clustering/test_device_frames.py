"""K-means on a GPU that is not there against numpy: equal but for ties, with few waits and bounded memory."""

import logging

import numpy as np
import pytest
import torch
from second_device import second_device

from preprocess.clustering import device_frames
from preprocess.clustering.device_frames import DeviceCentroids, FramesOnDevice, free_bytes
from preprocess.clustering.frame_passes import FramePass, FramesInMemory
from preprocess.clustering.lloyd import ITERATIONS, START_ROUNDS, fit_centroids, improve, sample_sizes
from preprocess.clustering.nearest_centroid import NearestCentroid, tie_tolerance

WAITS_OF_A_PASS = 4  # sums, counts, distances, ties


@pytest.fixture
def frames() -> np.ndarray:
    random = np.random.default_rng(0)
    centres = 2 * random.standard_normal((60, 24))
    return (centres[random.integers(60, size=3000)] + random.standard_normal((3000, 24))).astype(np.float32)


@pytest.fixture
def gpu(monkeypatch):
    """The mode, with memory for everything."""
    monkeypatch.setattr(device_frames, "free_bytes", lambda device: 1e9)
    with second_device() as mode:
        yield mode


def assert_same(found: FramePass, expected: FramePass) -> None:
    assert np.array_equal(found.counts, expected.counts) and found.counts.dtype == np.int64
    np.testing.assert_allclose(found.sums, expected.sums, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-4)
    assert found.distances.dtype == np.float32 and found.ties == expected.ties == 0


def ignore(num_frames: int) -> None:
    pass


@pytest.mark.parametrize("size", [10_000, 700])
def test_a_pass_finds_what_one_in_memory_finds_and_waits_four_times(frames, gpu, monkeypatch, size: int):
    monkeypatch.setattr(device_frames, "MAX_ELEMENTS", size * 50)
    rows, reported = np.arange(0, 3000, 2), []
    placed = FramesOnDevice(frames, "cuda")
    gpu.reset()
    found = placed.go_over(rows, frames[:50], reported.append, count_ties=True)
    assert gpu.waits.total() == WAITS_OF_A_PASS
    assert gpu.uploads.total() == 2  # centroids and rows
    assert_same(found, FramesInMemory(frames).go_over(rows, frames[:50], ignore, count_ties=True))
    assert sum(reported) == 1500 and max(reported) == min(size, 1500)
    gpu.reset()
    distances = placed.distances(rows, frames[:50])
    assert (gpu.waits.total(), gpu.uploads.total()) == (1, 2)
    np.testing.assert_allclose(distances, found.distances, rtol=1e-4)


class Event:
    """A stand-in for torch.cuda.Event that tells how many are recorded and not yet waited for."""

    open, most = 0, 0

    def record(self) -> None:
        Event.open += 1
        Event.most = max(Event.most, Event.open)

    def synchronize(self) -> None:
        Event.open -= 1


def test_frames_that_do_not_fit_are_sent_in_pinned_blocks(frames, gpu, monkeypatch):
    pinned, sizes = [], []
    free = 2 * 100 * (4 * 50 + 16 * 24)  # for blocks of 100 frames
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: pinned.append(len(tensor)) or tensor)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    expected = FramesOnDevice(frames, "cuda").go_over(np.arange(3000), frames[:50], ignore)
    monkeypatch.setattr(device_frames, "free_bytes", lambda device: free)
    placed = FramesOnDevice(frames, "cuda")
    gpu.reset()
    found = placed.go_over(np.arange(3000), frames[:50], sizes.append)
    assert pinned == sizes == [100] * 30
    assert gpu.uploads.total() == 31 and gpu.waits.total() == WAITS_OF_A_PASS
    assert Event.most == 2
    assert_same(found, expected)


def test_free_memory_counts_what_torch_holds_for_later(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (700, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 200)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 50)
    assert free_bytes(torch.device("cuda:1")) == 850
    assert free_bytes(torch.device("cpu")) == float("inf")


def test_centroids_without_frames_go_to_the_farthest_frames(frames, gpu):
    frames[[17, 2711]] += 50
    start = np.concatenate([frames[:3], np.full((2, 24), 1e4, dtype=np.float32)])
    found = improve(FramesOnDevice(frames, "cuda"), np.arange(3000), start, ignore)
    assert {row.tobytes() for row in found[3:]} == {frames[17].tobytes(), frames[2711].tobytes()}
    expected = improve(FramesInMemory(frames), np.arange(3000), start, ignore)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_whole_fit_is_that_of_the_cpu_and_waits_a_few_times_a_pass(frames, gpu):
    found, inertia, sizes = fit_centroids(frames, 30, seed=0, device="cuda")
    passes = ITERATIONS * len(sample_sizes(3000, 30)) + 1
    assert gpu.waits.total() <= WAITS_OF_A_PASS * passes + START_ROUNDS
    expected, expected_inertia, expected_sizes = fit_centroids(frames, 30, seed=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert np.array_equal(sizes, expected_sizes) and inertia == pytest.approx(expected_inertia, rel=1e-5)


@pytest.mark.parametrize("offset", [0, 30])
@pytest.mark.parametrize("width", [4, 200])
def test_labels_are_those_of_the_cpu_but_at_ties_and_these_are_counted(gpu, offset: int, width: int):
    random = np.random.default_rng(0)
    centroids = (offset + random.standard_normal((300, width))).astype(np.float32)
    frames = (offset + random.standard_normal((2000, width))).astype(np.float32)
    centroids[200:210] = centroids[:10]
    frames[:40] = (centroids[np.arange(40) % 20] + centroids[50:90]) / 2  # half way, to rounding
    here, ties_here = NearestCentroid(centroids).find(frames, count_ties=True)
    there, ties_there = NearestCentroid(centroids, "cuda").find(frames, count_ties=True)
    exact = 0.5 * (centroids.astype(float) ** 2).sum(1) - frames.astype(float) @ centroids.astype(float).T
    best, second = np.partition(exact, 1, axis=1)[:, :2].T
    limit = tie_tolerance(centroids) * np.linalg.norm(frames, axis=1)
    at_ties = second - best <= limit
    assert at_ties.sum() > 20
    # Rounding moves the differences themselves by as much as the limit.
    surely, perhaps = ((second - best <= factor * limit).sum() for factor in (0.3, 2))
    assert surely <= ties_here <= perhaps and surely <= ties_there <= perhaps
    assert not np.any((here != there) & ~at_ties)
    chosen = np.take_along_axis(exact, there[:, None], axis=1)[:, 0]
    assert np.all(chosen - best <= limit)


def test_ties_are_told_with_their_share(caplog):
    frames = np.repeat(np.eye(4, dtype=np.float32), [300, 300, 200, 200], axis=0)
    with caplog.at_level(logging.INFO):
        fit_centroids(frames, 5, seed=0)  # of two equal centroids, one has no frame
    assert "of 1000 frames" in caplog.text and "equally near to two units, to the rounding of float32" in caplog.text


def test_one_centroid_has_no_ties(frames, gpu):
    assert DeviceCentroids(frames[:1], "cuda").find_from_memory(frames, count_ties=True)[1] == 0
    assert NearestCentroid(frames[:1]).find(frames, count_ties=True)[1] == 0
