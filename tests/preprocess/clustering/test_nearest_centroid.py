import numpy as np
import pytest
from second_device import second_device
from sklearn.cluster import KMeans

from preprocess.clustering import nearest_centroid
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.errors import MismatchError

# "cpu" is numpy; "cpu:0" is torch, as on a GPU, on the same processor.
DEVICES = ["cpu", "cpu:0"]


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((6000, 24)).astype(np.float32)


@pytest.mark.parametrize("device", DEVICES)
def test_labels_equal_scikit_learns_predict(frames, device: str):
    model = KMeans(50, n_init=1, max_iter=5, random_state=0).fit(frames)
    labels = NearestCentroid(model.cluster_centers_, device)(frames)
    assert labels.dtype == np.int64
    assert np.array_equal(labels, model.predict(frames))


@pytest.mark.parametrize("device", DEVICES)
def test_labels_are_the_nearest_by_distance(frames, device: str):
    centroids = 3 + frames[:70]  # far from the origin
    nearest = NearestCentroid(centroids, device)
    distances = np.linalg.norm(frames[:300, None] - centroids[None], axis=2)
    assert np.array_equal(nearest(frames[:300]), distances.argmin(axis=1))
    found = nearest.squared_distances(frames[:300], nearest(frames[:300]))
    assert found == pytest.approx(distances.min(axis=1) ** 2, rel=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_rows_at_once_change_nothing(frames, monkeypatch, device: str):
    nearest = NearestCentroid(frames[:70], device)
    whole = nearest(frames)
    monkeypatch.setattr(nearest_centroid, "MAX_ELEMENTS", 700)
    pieces = NearestCentroid(frames[:70], device)
    assert np.array_equal(pieces(frames), whole)
    assert np.array_equal(pieces.squared_distances(frames, whole), nearest.squared_distances(frames, whole))


@pytest.mark.parametrize(("clusters", "rows"), [(2000, 4096), (65_534, 128), (10, 4096)])
def test_memory_of_one_product_is_bounded(monkeypatch, clusters: int, rows: int):
    seen = []

    def find(self, frames: np.ndarray, count_ties: bool) -> tuple[np.ndarray, int]:
        seen.append(len(frames))
        return np.zeros(len(frames), dtype=np.int64), 0

    monkeypatch.setattr(NearestCentroid, "_find", find)
    NearestCentroid(np.zeros((clusters, 1), dtype=np.float32))(np.zeros((4097, 1), dtype=np.float32))
    assert max(seen) == rows and sum(seen) == 4097


def test_another_device_computes_there_and_the_cpu_without_torch(frames):
    with second_device() as gpu:
        nearest = NearestCentroid(frames[:5], "cuda")
        gpu.reset()
        found = nearest(frames)
        assert gpu.uploads.total() == gpu.waits.total() == 2  # a block is 4096 frames
        assert np.array_equal(found, NearestCentroid(frames[:5])(frames))
    assert "torch" not in str(type(NearestCentroid(frames[:5])._half_squares))


def test_no_frames_have_no_labels_and_other_widths_are_refused(frames):
    assert NearestCentroid(frames[:5])(frames[:0]).shape == (0,)
    with pytest.raises(MismatchError, match="frames are 24 wide, the centroids 23"):
        NearestCentroid(frames[:5, :23])(frames)
