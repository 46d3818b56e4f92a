"""A small k-means, of which tests make units."""

from pathlib import Path

import pytest

from preprocess.__main__ import main


@pytest.fixture
def kmeans(make_manifest, tmp_path: Path) -> Path:
    """A k-means of MFCC with 8 clusters, beside the manifest of `make_manifest` that it is of."""
    options = ["--extractor", "mfcc", "--clusters", "8", "--portion", "1", "--out", str(tmp_path / "kmeans")]
    assert main(["kmeans", "--manifest", str(make_manifest()), *options]) == 0
    return tmp_path / "kmeans"
