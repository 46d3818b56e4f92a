"""`hmst check FOLDER`: what was changed, broken or is not ours is told."""

from pathlib import Path

import pytest
import torch
from spoken_corpus import make_corpus

from fairseq_hmst.command.check.command import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_corpus(tmp_path / "made")
    torch.save({"model": {"weight": torch.zeros(3)}}, tmp_path / "made" / "checkpoint_last.pt")
    return tmp_path / "made"


def test_a_whole_folder_has_no_faults(folder: Path, capsys):
    assert main([str(folder)]) == 0
    assert "no faults; checked: 6 cards, 1 checkpoints" in capsys.readouterr().out


def test_a_changed_file_a_broken_checkpoint_and_a_broken_card_are_all_told(folder: Path, capsys):
    (folder / "subwords" / "unit.model").write_bytes(b"other")
    (folder / "units" / "dev.card.json").write_text("[]")
    checkpoint = folder / "checkpoint_last.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    assert main([str(folder)]) == 1
    printed = capsys.readouterr()
    assert "unit.model: has changed since it was made" in printed.err
    assert "dev.card.json: is the card of no stage: found stage None" in printed.err
    assert "checkpoint_last.pt: cannot be read as a checkpoint" in printed.err
    assert "3 faults" in printed.out


def test_the_card_of_another_program_is_told(folder: Path, capsys):
    (folder / "other").mkdir()
    (folder / "other" / "card.json").write_text('{"stage": "cooking"}')
    assert main([str(folder)]) == 1
    assert "card.json: is the card of no stage: found stage 'cooking'" in capsys.readouterr().err


def test_a_folder_of_others_is_told(tmp_path: Path, capsys):
    (tmp_path / "notes.txt").touch()
    assert main([str(tmp_path)]) == 1
    assert "nothing of fairseq_hmst is in it" in capsys.readouterr().err


def test_options_of_a_recipe_have_no_effect_on_a_folder(folder: Path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(folder), "--out", "elsewhere"])
    assert "--out and --set have no effect on a folder" in capsys.readouterr().err
