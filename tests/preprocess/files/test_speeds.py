from pathlib import Path

import pytest

from preprocess.errors import PreprocessError
from preprocess.files.manifest import Utterance
from preprocess.files.speeds import (
    check_speeds,
    check_speeds_fit,
    find_equal_ids,
    format_speeds,
    id_at_speed,
    in_order,
    row_at_speed,
)


def make_row(identifier: str, audio: str | None = "a.wav", duration: float | None = 1.8) -> Utterance:
    return Utterance(identifier, audio and Path(audio), 2.0, duration, "en", "fr", "a", "b", "Ann")


@pytest.mark.parametrize("speeds", [(1.0,), (0.9, 1.0, 1.1), (1, 2, 0.5), [1.125, 1.0]])
def test_speeds_around_1_are_taken(speeds):
    check_speeds(speeds)


@pytest.mark.parametrize(
    ("speeds", "message"),
    [
        ((1.0, 0.49), r"--speeds must lie in 0\.5\.\.2, got 0\.49"),
        ((1.0, 2.1), r"--speeds must lie in 0\.5\.\.2, got 2\.1"),
        ((-1.0, 1.0), r"--speeds must lie in 0\.5\.\.2, got -1"),
        ((float("nan"), 1.0), r"--speeds must lie in 0\.5\.\.2, got nan"),
        ((1.0, 0.9, 1.1, 0.9), r"--speeds must differ, got 0\.9 twice"),
        ((0.9, 1.1), r"--speeds must have 1 among them, speech as it is, got 0\.9,1\.1"),
        ((), r"--speeds must have 1 among them, speech as it is, got none"),
        ((1.0, 0.9001), r"--speeds must have at most 3 decimals, got 0\.9001"),
    ],
)
def test_other_speeds_are_refused(speeds, message):
    with pytest.raises(PreprocessError, match=message):
        check_speeds(speeds)


@pytest.mark.parametrize("name", ["dev.tsv", "test.tsv", "test_far.tsv"])
def test_what_is_measured_stays_as_it_was_spoken(name):
    check_speeds_fit((1.0,), Path("m", name))
    message = rf"m/{name}: --speeds 0\.9,1 is for train alone, not for dev\.tsv and test\*\.tsv; leave"
    with pytest.raises(PreprocessError, match=message):
        check_speeds_fit((0.9, 1.0), Path("m", name))
    check_speeds_fit((0.9, 1.0), Path("test", "train.tsv"))


def test_a_row_at_a_speed_has_a_name_and_a_length_of_its_own():
    row = make_row("u1")
    assert row_at_speed(row, 1.0) is row
    slow = row_at_speed(row, 0.9)
    assert (slow.id, slow.duration) == ("sp0.9-u1", 2.0)
    assert (slow.audio, slow.offset, slow.tgt_text, slow.speaker) == (row.audio, 2.0, "b", "Ann")
    assert row_at_speed(make_row("u1", duration=None), 1.1).duration is None
    assert [id_at_speed("x", speed) for speed in (1, 1.0, 1.1, 0.95, 2.0)] == ["x", "x", "sp1.1-x", "sp0.95-x", "sp2-x"]


def test_speed_1_comes_first_and_then_the_slowest():
    assert in_order((1.1, 0.9, 1)) == in_order((1, 0.9, 1.1)) == (1.0, 0.9, 1.1)
    assert format_speeds((0.9, 1.0, 1.1)) == "0.9,1,1.1"


def test_a_row_that_is_called_like_another_at_a_speed_is_named():
    rows = [
        (make_row(name), f"train.tsv:{line}") for line, name in enumerate(("sp0.9-b", "a", "b", "sp0.8-a"), start=2)
    ]
    rows.append((make_row("sp0.9-a", audio=None), "train.tsv:6"))  # no speech, no line of units
    assert list(find_equal_ids(rows, (1.0,))) == []
    (error,) = find_equal_ids(rows, (1.0, 0.9, 1.1))
    assert str(error) == (
        "train.tsv:2: utterance 'sp0.9-b': the id is also that of utterance 'b' (train.tsv:4) at speed 0.9; "
        "rename one of the rows, or leave the speed out of --speeds"
    )
