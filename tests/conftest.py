"""Fixtures shared by all tests."""

from pathlib import Path

import pytest
from toy import build_task, make_toy_data_bin


@pytest.fixture(scope="session")
def toy_data_bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small whole data-bin; do not change it."""
    return make_toy_data_bin(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="session")
def toy_task(toy_data_bin: Path):
    """The task on the toy data-bin with its default options, train and valid loaded."""
    return build_task(toy_data_bin)
