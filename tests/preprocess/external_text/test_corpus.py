"""Which pairs of external text are kept and how often: counted again by hand, and by brute force over random text."""

import argparse
import hashlib
import random
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from preprocess.errors import ManifestError, PreprocessError
from preprocess.external_text.corpus import ExternalCorpus, ExternalTextOptions, draw_times, load_external_text
from preprocess.external_text.filter import PairFilter, PairLimits
from preprocess.files.languages import Languages
from preprocess.files.manifest import Utterance
from preprocess.files.program.options import add_options, read_options
from preprocess.files.splits import Split
from preprocess.files.text import TextPair

LANGUAGES = Languages(("en",), ("de", "fr"))


def write_table(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    lines = ["src_text\ttgt_text\ttgt_lang", *map("\t".join, rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def numbered(path: Path, num_pairs: int) -> Path:
    return write_table(path, [(f"source {n}", f"Ziel {n}", "de" if n % 2 else "fr") for n in range(num_pairs)])


def make_split(name: str, texts: list[tuple[str, str]]) -> Split:
    rows = [Utterance(f"{n}", None, 0.0, None, "en", "de", *pair, "") for n, pair in enumerate(texts)]
    return Split(name, Path(f"{name}.tsv"), rows, Path(f"{name}.units"), {}, None)


TRAIN, TEST = make_split("train", [("nine", "neun")]), make_split("test", [("a  dog", "un chien"), ("b", "zwei")])


def limits_of(limits: dict[str, float]) -> PairLimits:
    return PairLimits(**{f"mt_{name}": limit for name, limit in limits.items()})


def load(*options: object, splits: tuple[Split, ...] = (TRAIN,)) -> list[ExternalCorpus]:
    parser = argparse.ArgumentParser()
    add_options(parser, ExternalTextOptions)
    chosen = read_options(ExternalTextOptions, parser.parse_args(list(map(str, options))))
    return load_external_text(chosen, splits, LANGUAGES)


@pytest.mark.parametrize(("ratio", "expected"), [(1, 101), (2, 202), (0.5, 50), (2.25, 227), (0.001, 0)])
def test_a_ratio_is_met_exactly_and_no_pair_is_favoured(tmp_path: Path, ratio: float, expected: int):
    [corpus] = load("--mt-text", numbered(tmp_path / "a.tsv", 101), "--mt-ratio", ratio)
    times = Counter(pair.source for pair in corpus)
    assert times.total() == corpus.num_written.total() == expected
    assert set(times.values()) <= {int(ratio), int(ratio) + 1}


def test_a_seed_draws_the_same_pairs_and_another_seed_others(tmp_path: Path):
    path = numbered(tmp_path / "a.tsv", 200)
    drawn = {
        name: list(load("--mt-text", path, "--mt-ratio", 0.5, "--mt-seed", seed)[0])
        for name, seed in {"first": 1, "again": 1, "other": 2}.items()
    }
    assert drawn["first"] == drawn["again"] != drawn["other"]
    one, other = load("--mt-text", path, path, "--mt-ratio", 0.5, 0.5)
    assert list(one) == list(one) != list(other)


def test_every_pair_is_drawn_equally_often():
    times = sum(draw_times(10, 1.3, np.random.default_rng(seed)) for seed in range(2000))
    assert times.sum() == 2000 * 13
    assert np.abs(times - 2600).max() < 5 * np.sqrt(2000 * 0.3 * 0.7)


def test_pairs_of_dev_and_test_are_left_out_on_either_side(tmp_path: Path):
    rows = [("a dog", "ein Hund", "de"), ("a  dog", "Hund", "de"), ("dog", "un chien", "fr"), ("A dog", "neun", "de")]
    path = write_table(tmp_path / "a.tsv", rows)
    [corpus] = load("--mt-text", path, splits=(TRAIN, TEST))
    assert [pair.target for pair in corpus] == ["neun"]
    assert corpus.as_entry().dropped == {"in dev or test": 3}
    [corpus] = load("--mt-text", path, "--mt-keep-overlap", splits=(TRAIN, TEST))
    assert len(list(corpus)) == 4


def test_limits_are_those_of_a_count_by_hand():
    generator = random.Random(0)
    sides = [" ".join("x" * generator.randint(1, 9) for _ in range(generator.randint(1, 6))) for _ in range(2000)]
    limits = {"min_words": 2, "max_words": 4, "min_characters": 8, "max_characters": 25, "max_length_ratio": 1.5}
    pair_filter = PairFilter(frozenset(), limits_of(limits))
    found, expected = Counter(), Counter()
    for source, target in zip(sides[::2], sides[1::2], strict=True):
        found[pair_filter.reason_to_drop(TextPair("", source, target, "en", "de"))] += 1
        sizes = [(text.count(" ") + 1, len(text)) for text in (source, target)]
        is_kept = all(2 <= words <= 4 and 8 <= characters <= 25 for words, characters in sizes)
        ratio = max(len(source) / len(target), len(target) / len(source))
        expected["kept" if is_kept and ratio <= 1.5 else "length ratio" if is_kept else "length"] += 1
    assert (found[""], found["length ratio"]) == (expected["kept"], expected["length ratio"])
    assert found["too short"] + found["too long"] == expected["length"]
    assert min(found.values()) > 20


@pytest.mark.parametrize(
    ("limits", "source", "target", "reason"),
    [
        ({"min_words": 2}, "a b", "c", "too short"),
        ({"max_words": 2}, "a", "c d e", "too long"),
        ({"min_characters": 2}, "a", "cd", "too short"),
        ({"max_characters": 2}, "abc", "d", "too long"),
        ({"max_length_ratio": 2}, "abcde", "fg", "length ratio"),
        ({"max_length_ratio": 2}, "ab", "cdef", ""),
        ({}, "a", "b " * 1000 + "b", ""),
        ({}, "", "b", "empty"),
    ],
)
def test_each_limit_has_its_reason(limits: dict[str, int], source: str, target: str, reason: str):
    assert PairFilter(frozenset(), limits_of(limits)).reason_to_drop(TextPair("", source, target, "en", "de")) == reason


def test_lengths_are_compared_with_those_of_the_manifests(tmp_path: Path):
    usual = make_split("train", [("ab cd" * 10, "xy" * 11), ("ab cd" * 10, "xyz" * 6)])  # 40 characters for 100
    pairs = [("abcde", "xy"), ("abcde", "xyz"), ("abcde", "vwxyz"), ("abcde", "x")]
    path = write_table(tmp_path / "a.tsv", [(*pair, language) for language in ("de", "fr") for pair in pairs])
    [corpus] = load("--mt-text", path, "--mt-max-length-ratio", 1.6, splits=(usual,))
    kept = [(pair.target_language, pair.target) for pair in corpus]
    assert kept == [("de", "xy"), ("de", "xyz"), ("fr", "vwxyz")]  # of French the manifests say nothing
    assert corpus.dropped == {"length ratio": 5}


def test_the_card_says_what_went_in_and_what_did_not(tmp_path: Path):
    rows = [("one", "eins", "de"), ("two", "uno dos", "es"), ("", "vide", "fr"), ("x y z", "x", "fr"), ("e", "f", "fr")]
    path = write_table(tmp_path / "a.tsv", rows)
    [corpus] = load("--mt-text", path, "--mt-ratio", 3, "--mt-max-words", 2)
    assert asdict(corpus.as_entry()) == {
        "files": ({"name": "a.tsv", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},),
        "ratio": 3.0,
        "pairs": 5,
        "dropped": {"empty": 1, "other languages": 1, "too long": 1},
        "written": {"de": 3, "fr": 3},
        "limits": {"max_words": 2},
    }


def test_a_corpus_of_which_nothing_is_left_is_refused(tmp_path: Path):
    path = write_table(tmp_path / "a.tsv", [("one", "uno", "es"), ("two", "zwei", "de")])
    with pytest.raises(
        ManifestError,
        match=r"a\.tsv: no pair of 2 is left: 1 other languages, 1 in dev or test \(expected en to de, fr\)",
    ):
        load("--mt-text", path, splits=(TRAIN, TEST))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mt-text", "a.tsv", "--mt-ratio", 1, 2], r"one number a corpus: got 2 for 1 \(a\.tsv\)"),
        (["--mt-text", "a.tsv", "--mt-ratio", 0], r"--mt-ratio must be above 0, got 0\.0"),
        (["--mt-text", "a.tsv", "--mt-ratio", "nan"], r"--mt-ratio must be above 0, got nan"),
        (["--mt-text", "a.tsv", "--mt-max-words", 0], r"--mt-max-words must be at least 1, got 0"),
        (["--mt-text", "a.tsv", "--mt-max-length-ratio", 0.5], r"--mt-max-length-ratio must be at least 1, got 0\.5"),
        (
            ["--mt-text", "a.tsv", "--mt-min-words", 3, "--mt-max-words", 2],
            r"--mt-min-words 3 is above --mt-max-words 2",
        ),
        (["--mt-max-words", 2], r"options of external text are given, but no --mt-text"),
        (["--mt-ratio", 2], r"options of external text are given, but no --mt-text"),
        (["--mt-keep-overlap"], r"options of external text are given, but no --mt-text"),
    ],
)
def test_options_out_of_range_or_without_effect_are_refused(options: list[object], message: str):
    with pytest.raises(PreprocessError, match=message):
        load(*options)
