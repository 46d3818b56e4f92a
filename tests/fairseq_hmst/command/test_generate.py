"""What `hmst generate` and `hmst average` refuse."""

from pathlib import Path

import pytest

from fairseq_hmst.average import main as average
from fairseq_hmst.command.generate import main as generate


@pytest.fixture
def no_checkpoint(tmp_path: Path) -> str:
    (tmp_path / "text.pt").write_text("no weights")
    return str(tmp_path / "text.pt")


def test_a_file_that_is_no_checkpoint_is_named(no_checkpoint: str, toy_data_bin: Path, tmp_path: Path, capsys):
    options = ["--model", no_checkpoint, "--out", str(tmp_path / "out")]
    assert generate(["--data", str(toy_data_bin), *options]) == 1
    assert "text.pt: cannot be read as a checkpoint" in capsys.readouterr().err
    assert average(options) == 1
    assert "text.pt: cannot be read as a checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "own"), [("--gen-subset", "--split"), ("--results-path=x", "--out")])
def test_options_that_it_gives_itself_are_refused(option: str, own: str, capsys):
    with pytest.raises(SystemExit, match="2"):
        generate(["--data", "d", "--model", "m", "--out", "o", option, "valid"])
    assert f"{option} is given by this command: say {own}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["--split", "tset"], "there is no tset; it has train (st), train (mt), valid (st)"),
        (["--beem", "3"], "unrecognized arguments: --beem 3"),
    ],
)
def test_what_is_not_there_is_named(chosen: list[str], message: str, toy_data_bin: Path, tmp_path: Path, capsys):
    import torch

    torch.save({}, tmp_path / "model.pt")
    common = ["--data", str(toy_data_bin), "--model", str(tmp_path / "model.pt"), "--out", str(tmp_path / "out")]
    assert generate([*common, *chosen]) == 1
    assert message in capsys.readouterr().err
