"""Data-bins with language symbols."""

from pathlib import Path

import pytest
from tiny_mbart import write_hugging_face_mbart
from toy import make_toy_data_bin

TWO_TARGETS = ("fr", "de")


@pytest.fixture(scope="session")
def two_target_data_bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """English into French (even rows) and German (odd rows), symbols of the project's own; do not change it."""
    return make_toy_data_bin(tmp_path_factory.mktemp("two_targets"), targets=TWO_TARGETS)


@pytest.fixture(scope="session", params=["two targets", "mbart-50", "mbart-cc25"])
def language_data_bin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """English into French and German in each form of language symbols; do not change it."""
    if request.param == "two targets":
        return request.getfixturevalue("two_target_data_bin")
    folder = tmp_path_factory.mktemp(request.param)
    model = write_hugging_face_mbart(folder / "model", request.param)
    return make_toy_data_bin(folder, targets=TWO_TARGETS, text_model=model)
