"""Outputs of commands that others hold, or that would replace what is read: refused before the work."""

import shutil
from pathlib import Path

import pytest
import torch

from fairseq_hmst.command.hmst import main
from fairseq_hmst.export import exported_model
from preprocess.files.lock import locked

COMMANDS = {
    "average": "average --model {folder}/a.pt --out",
    "export": "export --model {folder}/a.pt --data {data} --out",
    "text-start": "text-start --from {folder}/a.pt --data {data} --out",
    "generate": "generate --model {folder}/a.pt --data {data} --split test --stream st --out",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.save({}, tmp_path / "a.pt")
    (tmp_path / "link.pt").symlink_to("a.pt")
    return tmp_path


def run(command: str, folder: Path, data: Path, out: Path) -> int:
    return main([*COMMANDS[command].format(folder=folder, data=data).split(), str(out)])


@pytest.mark.parametrize("command", COMMANDS)
def test_what_another_process_makes_is_left_to_it(command: str, folder: Path, toy_data_bin: Path, capsys):
    held = folder / "out/st/generate-test.txt" if command == "generate" else folder / "out"
    with locked(held):
        assert run(command, folder, toy_data_bin, folder / "out") == 1
    assert f"error: {held} is being made by process" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "out", "message"),
    [
        ("average", "a.pt", "would replace {folder}/a.pt, which is read"),
        ("average", "link.pt", "would replace {folder}/a.pt, which is read"),
        ("export", ".", "would replace {folder}/a.pt, which is read"),
        ("text-start", "a.pt", "would replace {folder}/a.pt, which is read"),
        ("export", "{data}/model", "lies in {data}, which is read"),
        ("export", "{data}", "would replace {data}, which is read"),
        ("text-start", "{data}/start.pt", "lies in {data}, which is read"),
        ("generate", "{data}", "lies in {data}, which is read"),
    ],
)
def test_what_is_read_is_neither_replaced_nor_added_to(
    command: str, out: str, message: str, folder: Path, toy_data_bin: Path, capsys
):
    names = {"folder": folder, "data": toy_data_bin}
    before = sorted((*folder.rglob("*"), *toy_data_bin.rglob("*")))
    assert run(command, folder, toy_data_bin, folder / out.format(**names)) == 1
    assert message.format(**names) in capsys.readouterr().err
    assert sorted((*folder.rglob("*"), *toy_data_bin.rglob("*"))) == before


def test_an_edited_readme_and_what_was_added_to_a_model_are_not_lost(model_folder: Path, tmp_path: Path, capsys):
    shutil.copytree(model_folder, tmp_path / "model")
    (tmp_path / "model/README.md").write_text("my own words")
    (tmp_path / "model/notes.txt").touch()
    torch.save({}, tmp_path / "a.pt")
    assert run("export", tmp_path, model_folder / "data", tmp_path / "model") == 1
    assert "would be lost: README.md, notes.txt" in capsys.readouterr().err
    assert (tmp_path / "model/README.md").read_text() == "my own words"


def test_nothing_is_left_of_an_export_that_fails_or_is_interrupted(
    folder: Path, toy_data_bin: Path, monkeypatch: pytest.MonkeyPatch
):
    before = sorted(folder.iterdir())
    for error, status in ((KeyboardInterrupt(), 130), (OSError(28, "No space left on device"), 1)):

        def fail(*arguments: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(exported_model, "_write_models", fail)
        assert run("export", folder, toy_data_bin, folder / "model") == status
        assert sorted(folder.iterdir()) == before
