import string

import pytest

from preprocess.corpora.rows.held_out import letters_of, mark_leaks, split_of
from preprocess.corpora.rows.row import Row


def row(source: str, target: str, unusable: str = "") -> Row:
    return Row("id", None, 0.0, None, "cs", "en", source, target, "", "here", unusable)


def test_groups_fall_into_the_splits_by_their_shares_and_always_into_the_same():
    groups = [f"{first}{second}{third}" for first in string.ascii_letters for second in "abcdefghij" for third in "xyz"]
    splits = [split_of(group, 7, 10) for group in groups]
    assert splits == [split_of(group, 7, 10) for group in groups]
    for split, share in (("dev", 0.07), ("test", 0.10), ("train", 0.83)):
        assert splits.count(split) / len(splits) == pytest.approx(share, abs=0.02)
    # A split that users have trained on must not change: SHA-256, written down once.
    assert {level: split_of(level, 7, 10) for level in ("airplane", "creatures", "chest")} == {
        "airplane": "train",
        "creatures": "dev",
        "chest": "test",
    }


def test_more_test_percent_takes_from_train_and_leaves_dev():
    groups = [str(number) for number in range(500)]
    small, large = ([split_of(group, 5, percent) for group in groups] for percent in (5, 20))
    assert all(
        after == before or (before, after) == ("train", "test") for before, after in zip(small, large, strict=True)
    )


def test_letters_ignore_case_digits_punctuation_and_white_space_alone():
    assert letters_of("Press  F2, now!") == letters_of("press F3 now") == "press f now"
    assert letters_of("Co je to?") != letters_of("Co je tu?")
    assert letters_of("Čti") != letters_of("Cti")
    assert letters_of("... 12 %") == ""


@pytest.mark.parametrize(
    ("source", "target", "is_leak"),
    [
        ("CO?", "Which one?", True),  # source
        ("Cože", "what", True),  # target
        ("What?", "Co?", False),  # the other side
        ("Co teď", "What now", False),  # only begins so
        ("...", "Hm", False),  # no letters
    ],
)
def test_a_training_text_that_equals_a_held_out_one_is_marked(source: str, target: str, is_leak: bool):
    held_out = [row("Co?", "What?"), row("...", "!")]
    (marked,) = mark_leaks([row(source, target)], held_out)
    assert marked.unusable == ("equals a text of dev or test" if is_leak else "")
    assert (marked.src_text, marked.tgt_text) == (source, target)


def test_an_earlier_reason_is_kept():
    (marked,) = mark_leaks([row("Co?", "Co?", "not translated")], [row("Co?", "What?")])
    assert marked.unusable == "not translated"
