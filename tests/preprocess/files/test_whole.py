import os
from pathlib import Path

import pytest

from preprocess.errors import OutputError
from preprocess.files.whole import whole_file, whole_folder


def make_output(path: Path, text: str) -> None:
    with whole_folder(path) as folder:
        (folder / "card.json").write_text(text)


def test_a_folder_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path):
    for text in ("one", "two"):
        make_output(tmp_path / "out", text)
        assert (tmp_path / "out/card.json").read_text() == text
        assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_failure_leaves_the_earlier_folder_and_file(tmp_path: Path):
    make_output(tmp_path / "out", "one")
    (tmp_path / "file").write_text("one")
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "out") as folder:
        (folder / "card.json").write_text("two")
        _ = 1 / 0
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "file") as temporary:
        temporary.write_text("two")
        _ = 1 / 0
    assert (tmp_path / "out/card.json").read_text() == (tmp_path / "file").read_text() == "one"
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file", tmp_path / "out"]


@pytest.mark.parametrize("step", [1, 2])
def test_stopped_while_renaming_the_next_run_goes_through(tmp_path: Path, monkeypatch, step: int):
    """As a kill would: nothing is put right on the way out."""
    make_output(tmp_path / "out", "one")
    replace, calls = os.replace, []

    def stop(source: Path, target: Path) -> None:
        calls.append(source)
        if len(calls) >= step:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", stop)
        patch.setattr("shutil.rmtree", lambda *arguments, **options: None)
        make_output(tmp_path / "out", "two")
    make_output(tmp_path / "out", "three")
    assert (tmp_path / "out/card.json").read_text() == "three"
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_where_a_link_stands_the_folder_it_points_to_is_replaced(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    make_output(tmp_path / "disk/real", "one")
    (tmp_path / "out").symlink_to(tmp_path / "disk/real")
    make_output(tmp_path / "out", "two")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk/real/card.json").read_text() == "two"
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["real"]


def test_what_is_no_output_of_ours_is_not_replaced(tmp_path: Path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/thesis.tex").touch()
    with pytest.raises(OutputError, match="exists and is not an output of preprocess"):
        make_output(tmp_path / "home", "")


def test_writers_of_one_file_do_not_meet(tmp_path: Path):
    with whole_file(tmp_path / "file", writer="a") as one, whole_file(tmp_path / "file", writer="b") as other:
        one.write_text("the same")
        other.write_text("the same")
    assert (tmp_path / "file").read_text() == "the same"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
