"""Trainings that are killed while they save, started again with broken checkpoints, finished, or given another's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from forked_trainings import ForkedTrainings
from toy import make_toy_data_bin
from training import training_command

SMALL = "--embed-dim 16 --ffn-embed-dim 16 --encoder-layers 1 --max-tokens 3000".split()
KILLED = -9


class Training:
    """One training in a folder, started as often as wanted."""

    def __init__(self, server: ForkedTrainings, data_bin: Path, folder: Path) -> None:
        self.server, self.data_bin, self.folder = server, data_bin, folder
        self.log = folder / "log"
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, *options: object, kill_at: str = "") -> int:
        self.log.unlink(missing_ok=True)
        validation = [] if "--patience" in options else ["--disable-validation"]
        command = training_command(self.data_bin, self.folder, *SMALL, *validation, *options)
        return self.server.run(command, self.log, kill_at=kill_at)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path != self.log}

    def updates(self, name: str = "checkpoint_last.pt") -> int:
        content = torch.load(self.folder / name, weights_only=False)
        return content["optimizer_history"][-1]["num_updates"]


@pytest.fixture
def training(trainings: ForkedTrainings, toy_data_bin: Path, tmp_path: Path) -> Training:
    return Training(trainings, toy_data_bin, tmp_path / "checkpoints")


@pytest.fixture(scope="module")
def trained(trainings: ForkedTrainings, toy_data_bin: Path, tmp_path_factory) -> Training:
    """A training of two updates, not to be changed."""
    made = Training(trainings, toy_data_bin, tmp_path_factory.mktemp("trained"))
    assert made.run("--max-update", 2, "--save-interval-updates", 1) == 0
    return made


@pytest.fixture(scope="module")
def other_data_bin(tmp_path_factory) -> Iterator[Path]:
    """The same units and English, another target language, the same sizes."""
    return make_toy_data_bin(tmp_path_factory.mktemp("german"), targets=("de",))


@pytest.mark.parametrize("written", ["checkpoint_last.pt.partial", "checkpoint_1_2.pt.tmp"])
def test_a_training_killed_while_it_saves_goes_on_from_a_whole_checkpoint(training: Training, written: str):
    options = ("--max-update", 3, "--save-interval-updates", 1)
    assert training.run(*options, kill_at=written) == KILLED
    assert any(name.endswith(written) for name in training.files())  # half of it
    assert training.run(*options) == 0, training.said()[-3000:]
    assert training.updates() == 3
    expected = {
        "checkpoint_last.pt.partial": "checkpoint_last.pt: is missing; going on from",
        "checkpoint_1_2.pt.tmp": "checkpoint_last.pt (epoch 1 @ 1 updates)",
    }
    assert expected[written] in training.said()
    assert set(training.files()) - {".data_hashes.json"} == {
        f"checkpoint_{name}.pt" for name in ("1_1", "1_2", "1_3", "last")
    }


def test_a_broken_last_checkpoint_is_passed_over_in_words(training: Training, trained: Training):
    for name, content in trained.files().items():
        (training.folder / name).write_bytes(content[:-100] if name == "checkpoint_last.pt" else content)
    assert training.run("--max-update", 3) == 0, training.said()[-3000:]
    last, newest = training.folder / "checkpoint_last.pt", training.folder / "checkpoint_1_2.pt"
    assert f"{last}: cannot be read as a checkpoint of fairseq-train" in training.said()
    assert f"going on from {newest}, the newest that is whole" in training.said()
    assert training.updates() == 3


def test_a_training_without_a_whole_checkpoint_is_an_error(training: Training):
    for name in ("checkpoint1.pt", "checkpoint_last.pt"):
        (training.folder / name).write_bytes(b"")
    assert training.run("--max-update", 3) == 1
    assert "no checkpoint of this training is whole: checkpoint1.pt, checkpoint_last.pt; move them" in training.said()
    assert set(training.files()) == {"checkpoint1.pt", "checkpoint_last.pt"}


@pytest.mark.parametrize(
    ("end", "first"),
    [
        ("--max-update 2", "--max-update 2"),
        ("--max-epoch 1", "--max-epoch 1"),
        ("--patience 1", "--patience 1 --lr 0"),
    ],
)
def test_a_finished_training_stays_as_it_is(training: Training, end: str, first: str):
    assert training.run(*first.split()) == 0, training.said()[-3000:]
    files = training.files()
    assert training.run(*end.split()) == 0, training.said()[-3000:]
    (line,) = (line for line in training.said().splitlines() if "nothing to do" in line)
    assert f"nothing to do: the training is finished by {end}, after " in line
    assert training.files() == files
    assert "Saved checkpoint" not in training.said()


def test_a_finished_training_goes_on_when_its_end_is_moved(training: Training, trained: Training):
    for name, content in trained.files().items():
        (training.folder / name).write_bytes(content)
    assert training.run("--max-update", 3) == 0
    assert training.updates() == 3


@pytest.mark.parametrize("how", ["--finetune-from-model", "checkpoint_last.pt"])
def test_a_training_does_not_go_on_from_other_data(
    trainings: ForkedTrainings, trained: Training, other_data_bin: Path, tmp_path: Path, how: str
):
    training = Training(trainings, other_data_bin, tmp_path / "german")
    source = trained.folder / "checkpoint_last.pt"
    if how.endswith(".pt"):
        (training.folder / how).write_bytes(source.read_bytes())
    before = training.files()
    assert training.run("--max-update", 4, *([how, source] if how.startswith("--") else [])) == 1
    assert "the checkpoint belongs to another data-bin: one with a dict." in training.said()
    assert training.files() == before


def test_a_training_does_not_go_on_as_another_model_and_may_be_moved(training: Training, trained: Training):
    for name, content in trained.files().items():
        (training.folder / name).write_bytes(content)
    assert training.run("--max-update", 3, "--attention-heads", 4) == 1
    assert "is another model than this training's: --attention-heads 2 and 4" in training.said()
    moved = training.folder.parent / "moved"
    moved.symlink_to(training.data_bin)
    training.data_bin = moved
    assert training.run("--max-update", 3, "--dropout", 0.3) == 0, training.said()[-3000:]
