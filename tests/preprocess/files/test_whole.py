import os
from pathlib import Path

import pytest

from preprocess.errors import OutputError
from preprocess.files.cards.named_files import hash_files
from preprocess.files.cards.stage_cards import REPORT_NAMES, ReportCard
from preprocess.files.whole import whole_file, whole_files, whole_folder


def make_output(path: Path, text: str) -> None:
    with whole_folder(path, ReportCard) as folder:
        for name in REPORT_NAMES:
            (folder / name).write_text(text)
        ReportCard(signature=text, hashes=hash_files(folder, REPORT_NAMES)).write(folder)


def read_output(path: Path) -> str:
    text = (path / "report.json").read_text()
    assert ReportCard.read(path).signature == text
    return text


def test_a_folder_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path):
    for text in ("one", "two"):
        make_output(tmp_path / "out", text)
        assert read_output(tmp_path / "out") == text
        assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_failure_leaves_the_earlier_folder_and_file(tmp_path: Path):
    make_output(tmp_path / "out", "one")
    (tmp_path / "file").write_text("one")
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "out", ReportCard) as folder:
        (folder / "card.json").write_text("two")
        _ = 1 / 0
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "file") as temporary:
        temporary.write_text("two")
        _ = 1 / 0
    with pytest.raises(ZeroDivisionError), whole_files(tmp_path / "file") as folder:
        (folder / "file").write_text("two")
        _ = 1 / 0
    assert read_output(tmp_path / "out") == (tmp_path / "file").read_text() == "one"
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file", tmp_path / "out"]


def test_interrupted_between_two_renames_the_new_output_is_put_in_place(tmp_path: Path, monkeypatch):
    make_output(tmp_path / "out", "one")
    replace = os.replace

    def interrupt(source: Path, target: Path) -> None:
        replace(source, target)
        if target == tmp_path / ".out.former":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", interrupt)
        make_output(tmp_path / "out", "two")
    assert read_output(tmp_path / "out") == "two"
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_where_a_link_stands_the_folder_it_points_to_is_replaced(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    make_output(tmp_path / "disk/real", "one")
    (tmp_path / "out").symlink_to(tmp_path / "disk/real")
    make_output(tmp_path / "out", "two")
    assert (tmp_path / "out").is_symlink()
    assert read_output(tmp_path / "disk/real") == "two"
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["real"]


def test_what_somebody_puts_there_during_the_work_is_not_replaced(tmp_path: Path):
    make_output(tmp_path / "out", "one")
    with (
        pytest.raises(OutputError, match=r"out: holds what .* has not written, and what would be lost: thesis\.tex"),
        whole_folder(tmp_path / "out", ReportCard),
    ):
        (tmp_path / "out/thesis.tex").touch()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"card.json", *REPORT_NAMES, "thesis.tex"}


def test_writers_of_one_file_do_not_meet(tmp_path: Path):
    with whole_file(tmp_path / "file", writer="a") as one, whole_file(tmp_path / "file", writer="b") as other:
        one.write_text("the same")
        other.write_text("the same")
    assert (tmp_path / "file").read_text() == "the same"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
