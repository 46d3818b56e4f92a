"""Truth: the manifests and units with their planted faults, scipy, and the list that binarize writes."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faulty_corpus import SAME_TEXTS, SAME_UNITS
from scipy.stats import median_abs_deviation

from preprocess.data_bin import reader
from preprocess.data_bin.reader import DataBinReader
from preprocess.files.cards.stage_cards import DoubtfulUnits
from preprocess.files.languages import Languages
from preprocess.files.manifest import read_manifest
from preprocess.files.units import read_units
from preprocess.report.figures.data_bin_figures import describe_data_bin
from preprocess.report.figures.measures import measure
from preprocess.report.figures.warnings.checks import Outcome
from preprocess.report.figures.warnings.doubtful_units import check_doubtful_units
from preprocess.report.figures.warnings.frames_per_cluster import check_frames_per_cluster
from preprocess.report.figures.warnings.languages_alike import check_languages
from preprocess.report.figures.warnings.warning import DataWarning, Inspected, NotChecked

SPLITS = {"train": "train", "dev": "valid", "test": "test", "test_far": "test_far"}


@pytest.fixture(scope="module")
def warnings(faulty_figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Warnings of the faulty corpus by their kinds, each of which occurs once."""
    found = faulty_figures["checks"]["warnings"]
    assert len({warning["kind"] for warning in found}) == len(found)
    return {warning["kind"]: warning for warning in found}


def ids_of(warning: dict[str, Any]) -> list[str]:
    return [example["id"] for example in warning["examples"]]


def test_all_faults_are_warned_of(warnings: dict[str, Any], faulty_figures: dict[str, Any]):
    of_kmeans = ["frames_per_cluster", "empty_units", "near_equal_units"]
    of_examples = ["no_ctc_path", "duplicate_speech", "duplicate_text", "speaking_rate", "silence"]
    assert list(warnings) == [*of_kmeans, *of_examples, "cancelled_channels", "unknown_tokens"]
    assert faulty_figures["checks"]["not_checked"] == []


def test_examples_without_a_ctc_path_are_those_that_binarize_lists(faulty: Path, warnings: dict[str, Any]):
    with open(faulty / "data-bin" / "ctc_infeasible.tsv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["split"] == "train"]
    expected = list(dict.fromkeys((row["stream"], row["name"]) for row in rows))
    found = warnings["no_ctc_path"]
    assert found["count"] == len(expected) > 5
    shown = [(example["stream"], example["id"]) for example in found["examples"]]
    by_stream = {stream: [pair for pair in expected if pair[0] == stream] for stream in ("st", "mt")}
    assert shown == by_stream["st"][:5] + by_stream["mt"][:5]
    for stream, pairs in by_stream.items():
        assert f"{len(pairs)} of " in found["text"] and f" in train.{stream}" in found["text"]
    needed = {(row["stream"], row["name"], row["ctc"]): (row["source_length"], row["needed"]) for row in rows}
    example = next(example for example in found["examples"] if example["id"] == "train-6")
    assert example["found"] == "{} steps, its transcript needs {}".format(*needed["st", "train-6", "transcript"])


def test_duplicates_are_named_with_what_they_equal(faulty: Path, warnings: dict[str, Any]):
    units = {SPLITS[split]: dict(read_units(faulty / "units" / f"{split}.units")) for split in SPLITS}
    places = {identifier: split for split, rows in units.items() for identifier in rows}
    speech = {example["id"]: example["found"] for example in warnings["duplicate_speech"]["examples"]}
    assert speech == {one: f"equals {other} of {places[other]}.st" for one, other in SAME_UNITS.items()}
    pairs: dict[tuple[str, str], str] = {}
    expected = {}
    for split, name in SPLITS.items():
        rows = [row for row in read_manifest(faulty / "manifest" / f"{split}.tsv") if row.src_text]
        for row in rows:
            if (earlier := pairs.get((row.src_text, row.tgt_text))) and not earlier.endswith(f" {name}.mt"):
                expected[row.id] = f"equals {earlier}"
            pairs.setdefault((row.src_text, row.tgt_text), f"{row.id} of {name}.mt")
    assert {example["id"]: example["found"] for example in warnings["duplicate_text"]["examples"]} == expected
    assert set(SAME_TEXTS) <= set(expected)


def test_outliers_of_speaking_rate_are_those_of_scipy(faulty: Path, warnings: dict[str, Any]):
    rates: dict[str, dict[str, float]] = {"units": {}, "transcript": {}, "translation": {}}
    for split in SPLITS:
        units = dict(read_units(faulty / "units" / f"{split}.units"))
        for row in read_manifest(faulty / "manifest" / f"{split}.tsv"):
            if row.audio is not None:
                text = "transcript" if row.src_text else "translation"
                # SentencePiece puts a space before the first word.
                rates[text][row.id] = (1 + len(row.src_text or " ".join(row.tgt_text.split()))) / row.duration
                rates["units"][row.id] = len(units[row.id]) / row.duration
    expected = set()
    for name, found in rates.items():
        logs = np.log([*found.values()])
        limit = max(5 * median_abs_deviation(logs, scale="normal"), np.log(2))
        outliers = np.abs(logs - np.median(logs)) > limit
        if name == "units":
            outliers &= logs > np.median(logs) - np.log(4)  # silence has a warning of its own
        expected |= {identifier for identifier, is_outlier in zip(found, outliers, strict=True) if is_outlier}
        assert name == "translation" or len(found) >= 20
    assert set(ids_of(warnings["speaking_rate"])) == expected
    assert warnings["speaking_rate"]["count"] == len(expected)
    assert warnings["speaking_rate"]["examples"][0]["found"] == "55 units a second, usual 7.33"


def test_silence_is_one_unit_again_and_again_or_very_long_runs(faulty: Path, warnings: dict[str, Any]):
    expected = []
    for split in SPLITS:
        units = dict(read_units(faulty / "units" / f"{split}.units"))
        for row in read_manifest(faulty / "manifest" / f"{split}.tsv"):
            if row.audio is not None:
                row_units = units[row.id]
                share = Counter(row_units).most_common(1)[0][1] / -(-len(row_units) // 2)
                if share >= 0.8 or len(row_units) / row.duration < 11 / 1.5 / 4:
                    expected.append(row.id)
    assert expected == ["train-1", "train-2", "train-4"]
    assert ids_of(warnings["silence"]) == expected
    assert warnings["silence"]["examples"][2]["found"] == "11 units in 9 s"


def test_unknown_tokens_are_named_with_their_side(warnings: dict[str, Any]):
    shown = [(example["stream"], example["id"], example["found"]) for example in warnings["unknown_tokens"]["examples"]]
    assert shown == [("st", "test-2", "in its target"), ("mt", "test-2", "in its target")]
    assert warnings["unknown_tokens"]["count"] == 2


def test_the_number_of_examples_read_at_a_time_changes_nothing(faulty: Path, monkeypatch: pytest.MonkeyPatch):
    described = describe_data_bin(DataBinReader(faulty / "data-bin"))
    monkeypatch.setattr(reader, "CHUNK_EXAMPLES", 2)
    assert describe_data_bin(DataBinReader(faulty / "data-bin")) == described


@pytest.fixture(scope="module")
def inspected(faulty: Path) -> Inspected:
    """The faulty data-bin without its streams, for checks of its card."""
    return Inspected(DataBinReader(faulty / "data-bin").card, [])


@pytest.mark.parametrize(("frames", "is_enough"), [(12 * 40, True), (12 * 40 - 1, False)])
def test_forty_frames_a_cluster_are_enough(inspected: Inspected, frames: int, is_enough: bool):
    assert inspected.card.kmeans is not None
    card = replace(inspected.card, kmeans=replace(inspected.card.kmeans, frames=frames))
    assert (list(check_frames_per_cluster(replace(inspected, card=card))) == []) == is_enough


@pytest.mark.parametrize(
    ("source", "target", "named"),
    [
        (("en",), ("de", "fr", "fra"), []),
        (("en", "en-GB"), ("en",), ["source languages en and en-GB"]),
        (("en", "de"), ("de", "EN "), ["source language en and the target language EN "]),
        (("en",), ("DE", "de", "de_AT", "zh-CN", "zh-TW"), ["DE and de and de_AT", "zh-CN and zh-TW"]),
    ],
)
def test_languages_that_differ_by_case_or_region_are_named(
    inspected: Inspected, source: tuple[str, ...], target: tuple[str, ...], named: list[str]
):
    card = replace(inspected.card, languages=Languages(source, target))
    found = [outcome.text for outcome in check_languages(replace(inspected, card=card)) if outcome.kind]
    assert len(found) == len(named)
    assert all(name in text for name, text in zip(named, found, strict=True))


def test_units_that_say_little_are_named(warnings: dict[str, Any], inspected: Inspected):
    assert "fell to 1 of 12 units: 11." in warnings["empty_units"]["text"]
    assert (
        "2 pairs of units have nearly equal centroids, so that chance decides: 3 and 7, 5 and 9."
        in (warnings["near_equal_units"]["text"])
    )
    assert inspected.card.kmeans is not None
    many = DoubtfulUnits(tuple(range(25)), ())
    card = replace(inspected.card, kmeans=replace(inspected.card.kmeans, doubtful=many))
    (warning,) = check_doubtful_units(replace(inspected, card=card))
    assert isinstance(warning, DataWarning) and warning.text.endswith(", 18, 19 and 5 more.")
    card = replace(inspected.card, kmeans=replace(inspected.card.kmeans, doubtful=None))
    (untold,) = check_doubtful_units(replace(inspected, card=card))
    assert isinstance(untold, NotChecked)


def test_channels_that_cancel_each_other_are_named_as_the_units_cards_do(warnings: dict[str, Any]):
    found = warnings["cancelled_channels"]
    assert found["count"] == 3 and found["text"].endswith(": 3 of 6 in test.st.")
    shown = [(example["split"], example["stream"], example["index"], example["id"]) for example in found["examples"]]
    assert shown == [("test", "st", 1, "test-1"), ("test", "st", 4, "test-4")]


def test_alike_languages_are_named_with_their_first_examples(faulty: Path):
    streams = [measure(stream, lambda count: None) for stream in DataBinReader(faulty / "data-bin").streams()]
    card = replace(streams[0].stream.data_bin.card, languages=Languages(("EN", "en"), ("fr",)))
    (warning,) = check_languages(Inspected(card, streams))
    assert isinstance(warning, DataWarning)
    (example,) = warning.examples  # no row is EN
    assert (example.split, example.stream, example.index, example.id) == ("train", "st", 0, "train-0")
    assert example.found == "source language en"


def test_the_terminal_is_told_how_many_where_and_what_to_do(faulty: Path, faulty_figures: dict[str, Any]):
    described = describe_data_bin(DataBinReader(faulty / "data-bin"))
    lines = list(described.checks.lines())
    assert lines[0] == "10 warnings"
    for number, warning in enumerate(described.checks.warnings, start=1):
        assert f"{number}. {warning.text}" in lines
        assert f"   {warning.advice}" in lines
    assert "   test.mt test-1: equals train-10 of train.mt" in lines
    assert [*Outcome((), ()).lines()] == ["no warnings"]
    one = Outcome((DataWarning("kind", "Text.", "Advice.", 1),), (NotChecked("speaking_rate", "why"),))
    assert [*one.lines()] == ["1 warning", "1. Text.", "   Advice.", "not checked: speaking rate: why"]
