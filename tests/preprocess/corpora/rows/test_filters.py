"""Filters of training rows."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cards import read_card

from preprocess.corpora.rows.filters import FilterOptions, Filters
from preprocess.errors import ManifestError, PreprocessError
from preprocess.files.faults import read_faults
from preprocess.files.manifest import Utterance


def utterance(src_text: str = "abc", tgt_text: str = "abc", tgt_lang: str = "fr") -> Utterance:
    return Utterance("u", None, 0.0, None, "en", tgt_lang, src_text, tgt_text, "")


def texts(source_length: int, target_length: int, tgt_lang: str = "fr") -> Utterance:
    return utterance("s" * source_length, "t" * target_length, tgt_lang)


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (0.0999, "shorter than 0.1 s"),
        (0.1, ""),
        (20.0, ""),
        (20.001, "longer than 20 s"),
        (None, ""),
    ],
)
def test_limits_of_length_are_within(seconds: float | None, reason: str):
    assert Filters(FilterOptions(min_seconds=0.1, max_seconds=20)).reason(utterance(), seconds) == reason


def test_without_limits_nothing_is_filtered():
    assert Filters().reason(texts(1, 10_000), 10_000.0) == ""


def test_the_length_ratio_is_measured_against_what_is_usual_for_the_pair_of_languages():
    # Usual: 2 characters of French and half a character of Chinese for one of English.
    rows = [texts(100, 200, "fr"), texts(300, 600, "fr"), texts(100, 50, "zh")]
    filters = Filters(FilterOptions(max_length_ratio=3)).fitted(rows)
    reasons = {(row, lang): filters.reason(texts(60, row, lang), 1.0) for lang in ("fr", "zh") for row in range(1, 500)}
    kept = {lang: [row for row in range(1, 500) if not reasons[row, lang]] for lang in ("fr", "zh")}
    assert (min(kept["fr"]), max(kept["fr"])) == (40, 360)  # 120 / 3 and 120 * 3
    assert (min(kept["zh"]), max(kept["zh"])) == (10, 90)
    assert set(reasons.values()) == {"", "length ratio above 3"}


def test_source_and_target_are_treated_alike():
    generator = random.Random(0)
    rows = [texts(generator.randint(1, 40), generator.randint(1, 40)) for _ in range(300)]
    swapped = [replace(row, src_text=row.tgt_text, tgt_text=row.src_text) for row in rows]
    filters, mirrored = (Filters(FilterOptions(max_length_ratio=2.5)).fitted(side) for side in (rows, swapped))
    found = [filters.reason(row, None) for row in rows]
    assert found == [mirrored.reason(row, None) for row in swapped]
    assert 0 < found.count("") < 300


def test_a_row_without_transcript_has_no_length_ratio():
    filters = Filters(FilterOptions(max_length_ratio=1.5)).fitted([texts(10, 10)])
    assert filters.reason(utterance("", "t" * 500), 1.0) == ""


ROWS = {"short": (0.05, "abcd", "abcd"), "good": (1.0, "abcd", "abcde"), "long": (3.0, "abcd", "abcd")} | {
    "uneven": (1.0, "ab", "abcdefghijkl"),
    "silent": (None, "abcd", "abcd"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    lines = ["id\taudio\tsrc_text\ttgt_text\tsrc_lang\ttgt_lang"]
    for name, (seconds, source, target) in ROWS.items():
        audio = f"{name}.wav" if seconds else ""
        if seconds:
            soundfile.write(tmp_path / "raw" / audio, np.zeros(round(seconds * 16_000)), 16_000)
        lines.append(f"{name}\t{audio}\t{source}\t{target}\ten\tfr")
    for split in ("train", "dev", "test"):
        (tmp_path / "raw" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "raw"


OPTIONS = ("--min-seconds", 0.1, "--max-seconds", 2, "--max-length-ratio", 2)


def test_filters_take_rows_from_train_alone_and_are_counted_and_named(root: Path, run_manifest, read_out, capsys):
    out = run_manifest("tsv", root, *OPTIONS)
    assert [row.id for row in read_out("train")] == ["good", "silent"]
    assert [row.id for row in read_out("dev")] == [row.id for row in read_out("test")] == list(ROWS)
    reasons = {"short": "shorter than 0.1 s", "long": "longer than 2 s", "uneven": "length ratio above 2"}
    left_out = read_faults(out.with_name("out.filtered.tsv"))
    assert {row.id: row.reason for row in left_out} == reasons
    assert [row.location for row in left_out] == [f"{root}/train.tsv:{line}" for line in (2, 4, 5)]
    card = read_card(out, "manifest")
    assert card["filtered"] == {"train": dict.fromkeys(reasons.values(), 1), "dev": {}, "test": {}}
    assert card["filters"] == {"min_seconds": 0.1, "max_seconds": 2.0, "max_length_ratio": 2.0}
    assert card["counts"]["train"]["seconds"] == 1.0
    printed = capsys.readouterr().out
    assert all(f"train: 1 filtered: {reason}" in printed for reason in reasons.values())
    assert not out.with_name("out.errors.tsv").exists()


def test_without_options_nothing_is_filtered(root: Path, run_manifest, read_out):
    out = run_manifest("tsv", root)
    assert [row.id for row in read_out("train")] == list(ROWS)
    assert not out.with_name("out.filtered.tsv").exists()


def test_a_row_that_a_filter_leaves_out_by_its_text_needs_no_audio(root: Path, run_manifest, read_out):
    (root / "uneven.wav").unlink()
    (root / "dev.tsv").unlink()
    (root / "test.tsv").unlink()
    run_manifest("tsv", root, "--max-length-ratio", 2)
    assert [row.id for row in read_out("train")] == ["short", "good", "long", "silent"]


def test_what_a_filter_leaves_out_by_its_length_may_be_longer_or_shorter_than_any_encoder_takes(
    root: Path, run_manifest, read_out
):
    for name, seconds in (("short", 0.01), ("long", 61)):
        soundfile.write(root / f"{name}.wav", np.zeros(round(seconds * 16_000)), 16_000)
    with pytest.raises(PreprocessError, match=r"train.tsv:2: utterance 'short': .*too short: 10.0 ms"):
        run_manifest("tsv", root)
    with pytest.raises(
        PreprocessError, match=r"train.tsv:4: utterance 'long': .*too long: 61.0 s, expected at most 60"
    ):
        run_manifest("tsv", root, "--min-seconds", 0.1)
    (root / "dev.tsv").unlink()
    (root / "test.tsv").unlink()
    out = run_manifest("tsv", root, *OPTIONS)
    assert [row.id for row in read_out("train")] == ["good", "silent"]
    assert [row.id for row in read_faults(out.with_name("out.filtered.tsv"))] == ["short", "long", "uneven"]


def test_filters_that_leave_nothing_are_an_error(root: Path, run_manifest, tmp_path: Path):
    (root / "train.tsv").write_text("".join((root / "train.tsv").read_text().splitlines(keepends=True)[:4:3]))
    with pytest.raises(ManifestError, match="train: none of its 1 rows is left: 1 longer than 2 s, 0 at fault"):
        run_manifest("tsv", root, *OPTIONS)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--min-seconds", -1), "--min-seconds must be at least 0, got -1"),
        (("--max-seconds", 0), "--max-seconds must lie above --min-seconds .0., got 0"),
        (("--min-seconds", 2, "--max-seconds", 1), "--max-seconds must lie above --min-seconds .2.0., got 1"),
        (("--max-length-ratio", 1), "--max-length-ratio must lie above 1, got 1"),
        (("--max-errors", 2), "--max-errors is a share and must lie in 0..1, got 2"),
    ],
)
def test_limits_outside_their_range_are_refused(root: Path, run_manifest, options, message: str):
    with pytest.raises(PreprocessError, match=message):
        run_manifest("tsv", root, *options)
