from pathlib import Path

import pytest

from preprocess.errors import PreprocessError
from preprocess.files.faults import (
    Fault,
    FaultOptions,
    check_share,
    faults_path,
    read_faults,
    write_faults,
)

FAULTS = [Fault("u1", "train.tsv:3", "a.wav: not audio"), Fault("u7", "train.tsv:9", "b.wav:\ttoo\nshort")]


def test_faults_come_back_each_in_one_line(tmp_path: Path):
    path = tmp_path / "train.errors.tsv"
    write_faults(path, FAULTS)
    assert path.read_text() == (
        "id\tlocation\treason\nu1\ttrain.tsv:3\ta.wav: not audio\nu7\ttrain.tsv:9\tb.wav:\\ttoo\\nshort\n"
    )
    assert read_faults(path) == FAULTS


def test_without_faults_the_file_of_an_earlier_run_goes(tmp_path: Path):
    path = tmp_path / "train.errors.tsv"
    write_faults(path, FAULTS)
    write_faults(path, [])
    assert not path.exists()
    assert read_faults(path) == []


def test_it_stands_beside_the_output(tmp_path: Path):
    assert faults_path(tmp_path / "train.units") == tmp_path / "train.errors.tsv"
    assert faults_path(tmp_path / "k2000.v1") == tmp_path / "k2000.v1.errors.tsv"


@pytest.mark.parametrize("text", ["id\treason\n", "id\tlocation\treason\nu1\ttrain.tsv:3\n"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str):
    (tmp_path / "errors.tsv").write_text(text)
    with pytest.raises(PreprocessError, match="expected tab-separated columns id, location, reason"):
        read_faults(tmp_path / "errors.tsv")


def test_the_share_may_be_reached_but_not_passed(caplog):
    check_share(FAULTS, 2000, FaultOptions("skip"))
    assert "2 of 2000 cannot be used" in caplog.text
    with pytest.raises(
        PreprocessError, match=r"2 of 1999 .*more than --max-errors 0.001 .*'u1' \(train.tsv:3\): a.wav"
    ):
        check_share(FAULTS, 1999, FaultOptions("skip"))
    check_share([], 0, FaultOptions("skip", 0.0))


@pytest.mark.parametrize(("share", "items", "allowed"), [(0.001, 5, 1), (0.3, 10, 3), (0.0, 1000, 0), (0.001, 1, 0)])
def test_of_a_small_corpus_one_item_may_be_left_out(share: float, items: int, allowed: int):
    options = FaultOptions("skip", share)
    faults = [FAULTS[0]] * (allowed + 1)
    check_share(faults[:allowed], items, options)
    with pytest.raises(PreprocessError, match=f"{allowed + 1} of {items} cannot be used"):
        check_share(faults, items, options)


def test_all_items_may_never_be_left_out():
    with pytest.raises(PreprocessError, match="2 of 2 cannot be used and are listed in errors.tsv, so none is left"):
        check_share(FAULTS, 2, FaultOptions("skip", 1.0))


def test_the_options_and_their_range():
    assert (FaultOptions().on_error, FaultOptions().max_errors, FaultOptions().skips) == ("raise", 0.001, False)
    assert FaultOptions("skip").skips
    with pytest.raises(PreprocessError, match="--on-error must be raise or skip, got 'ignore'"):
        FaultOptions("ignore")
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(PreprocessError, match=r"--max-errors is a share and must lie in 0..1"):
            FaultOptions(max_errors=value)
