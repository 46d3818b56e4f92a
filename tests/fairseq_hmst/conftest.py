"""Data-bins with language symbols, models and recordings of the prompts, and a server of trainings."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from forked_trainings import ForkedTrainings
from prompt_models import PROMPTS, make_prompt_data_bin, random_checkpoint
from tiny_mbart import write_hugging_face_mbart
from toy import make_toy_data_bin

if TYPE_CHECKING:
    from fairseq_hmst.translate import Translator

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


@pytest.fixture(scope="session")
def prompt_data_bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recorded prompts, English into French, units from MFCC; do not change it."""
    return make_prompt_data_bin(tmp_path_factory.mktemp("prompts"))


@pytest.fixture(scope="session")
def trainings() -> Iterator[ForkedTrainings]:
    """Runs trainings in forks."""
    with ForkedTrainings() as server:
        yield server


@pytest.fixture(scope="session")
def model_folder(prompt_data_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of `prompt_data_bin`: hmst_ctc with random weights; do not change it."""
    from fairseq_hmst.export import export

    folder = tmp_path_factory.mktemp("exported")
    export([[random_checkpoint(folder / "random.pt", prompt_data_bin)]], prompt_data_bin, folder / "model")
    return folder / "model"


@pytest.fixture(scope="session")
def translator(model_folder: Path) -> "Translator":
    """That of `model_folder`; do not change it."""
    from fairseq_hmst.translate import Translator

    return Translator.from_pretrained(model_folder)


@pytest.fixture(scope="session")
def long_recording(tmp_path_factory) -> tuple[Path, list[tuple[float, float]]]:
    """Prompts with pauses of 1.2 s between them, 25 s, and the times of each."""
    path = tmp_path_factory.mktemp("long") / "long.flac"
    parts, times, rate = [], [], 8000
    for prompt in PROMPTS[:8]:
        samples, rate = soundfile.read(prompt)
        begin = sum(map(len, parts)) / rate
        times.append((begin, begin + len(samples) / rate))
        parts += [samples, np.zeros(round(1.2 * rate))]
    soundfile.write(path, np.concatenate(parts), rate)
    return path, times
