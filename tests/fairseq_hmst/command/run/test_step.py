"""The record of one step: by content, whatever was hashed before and in which order."""

import os
from pathlib import Path

import pytest

from fairseq_hmst.command.run.step import RoadError, RoadStep


def make_step(folder: Path, status: int = 0, words: tuple[str, ...] = ("--beam", "5")) -> RoadStep:
    def run(argv: list[str]) -> int:
        for name in ("b.pt", "a.pt"):
            (folder / name).write_text(f"{name} {argv}")
        return status

    outputs = [folder / "b.pt", folder / "a.pt"]
    return RoadStep("generate", words, run, [folder / "input"], lambda: outputs, folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "input").write_text("1")
    make_step(tmp_path).make()
    return tmp_path


def age(path: Path) -> None:
    """Make a file as old as one whose hash is remembered."""
    os.utime(path, (1e9, 1e9))


def test_what_is_touched_and_not_changed_is_done(folder: Path):
    assert make_step(folder).is_done()
    for name in ("a.pt", "input", "b.pt"):  # one after the other: some hashes are remembered, some are not
        age(folder / name)
        assert make_step(folder).is_done()
        assert make_step(folder).is_done()


@pytest.mark.parametrize("name", ["input", "a.pt", "b.pt"])
def test_what_is_changed_is_not_done(folder: Path, name: str):
    age(folder / name)
    assert make_step(folder).is_done()
    (folder / name).write_text("other")
    assert not make_step(folder).is_done()


def test_another_command_is_not_done(folder: Path):
    assert not make_step(folder, words=("--beam", "6")).is_done()


def test_a_command_that_fails_leaves_no_record(tmp_path: Path):
    (tmp_path / "input").write_text("1")
    with pytest.raises(RoadError, match="`hmst generate` ended with exit status 2; mend it and run again"):
        make_step(tmp_path, status=2).make()
    assert not make_step(tmp_path).is_done()


def test_a_command_that_is_interrupted_interrupts_the_road(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        make_step(tmp_path, status=130).make()
