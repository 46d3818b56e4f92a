"""What binarize makes of units of train at several speeds: an ST example for each, and the text once."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cards import edit_card, measure, read_card
from spoken_corpus import make_corpus, run_binarize
from stream_symbols import read_back, text_of

from preprocess.__main__ import main
from preprocess.errors import UnitsError
from preprocess.files.faults import Fault, faults_path, write_faults
from preprocess.files.manifest import read_manifest
from preprocess.files.splits import load_splits
from preprocess.files.units import format_units, read_units, text_to_units

SPEEDS = (0.9, 1.0, 1.1)
PREFIXES = ("", "sp0.9-", "sp1.1-")


def add_speeds(units_path: Path, left_out: tuple[str, ...] = ()) -> None:
    """What the stage units leaves with `--speeds 0.9,1,1.1`: here units of a row at another speed are turned round."""
    lines = [
        (f"{prefix}{name}", units[::-1] if prefix else units)
        for name, units in read_units(units_path)
        for prefix in PREFIXES
    ]
    lines = [(name, units) for name, units in lines if name not in left_out]
    units_path.write_text("".join(format_units(*line) for line in lines), encoding="utf-8")
    files = [units_path]
    if left_out:
        files.append(faults_path(units_path))
        write_faults(files[-1], [Fault(name, "train.tsv:0", "too long") for name in left_out])
    card = units_path.with_suffix(".card.json")
    seconds = sum(1.5 / speed for speed in SPEEDS) * len(lines) / 3
    changes = {"utterances": len(lines), "seconds": seconds, "skipped": len(left_out), "speeds": list(SPEEDS)}
    edit_card(card, hashes={path.name: measure(path) for path in files}, **changes)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    make_corpus(tmp_path / "corpus")
    return tmp_path / "corpus"


def spoken_ids(corpus: Path) -> list[str]:
    return [row.id for row in read_manifest(corpus / "manifest/train.tsv") if row.audio is not None]


def origins(data_bin: Path, stream: str) -> list[list[str]]:
    lines = (data_bin / f"train.{stream}.origin.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


def test_a_row_has_an_example_at_each_speed_and_its_text_once(corpus: Path):
    before = read_card(run_binarize(corpus), "binarize")
    shutil.rmtree(corpus / "data-bin")
    add_speeds(corpus / "units/train.units")
    data_bin = run_binarize(corpus)
    card = read_card(data_bin, "binarize")
    rows = [row for row in read_manifest(corpus / "manifest/train.tsv") if row.audio is not None]
    names = [f"{prefix}{row.id}" for row in rows for prefix in PREFIXES]
    seconds = [f"{1.5 / speed:.10g}" for _ in rows for speed in (1.0, 0.9, 1.1)]
    assert [line[:2] for line in origins(data_bin, "st")] == [list(pair) for pair in zip(names, seconds, strict=True)]
    units = dict(read_units(corpus / "units/train.units"))
    sources = read_back(data_bin, "train.st.src", "src")
    assert [text_to_units("".join(symbols)) for symbols in sources] == [units[name] for name in names]
    targets = [text_of(symbols) for symbols in read_back(data_bin, "train.st.tgt", "tgt")]
    assert targets == [" ".join(row.tgt_text.split()) for row in rows for _ in SPEEDS]
    transcripts = [text_of(symbols) for symbols in read_back(data_bin, "train.st.transcript", "src")]
    assert transcripts == [row.src_text for row in rows for _ in SPEEDS]
    speech, text = card["counts"]["train"]["st"], card["counts"]["train"]["mt"]
    assert speech["examples"] == 3 * before["counts"]["train"]["st"]["examples"]
    assert text == before["counts"]["train"]["mt"]
    assert card["counts"]["valid"] == before["counts"]["valid"]
    assert speech["seconds"] == pytest.approx(sum(1.5 / speed for speed in SPEEDS) * len(rows))
    assert speech["long_seconds"] == round(1.5 / 0.9, 3)  # of a third
    assert card["ratios"]["unit_subwords_per_second"] == pytest.approx(speech["source_tokens"] / speech["seconds"])
    pieces = read_back(data_bin, "train.st.transcript", "src")
    lengths = [(len(source), 4 * len(text)) for source, text in zip(sources, pieces, strict=True) if text]
    ratio = sum(text for _, text in lengths) / sum(source for source, _ in lengths)
    assert card["ratios"]["repeated_text_to_speech_length"] == pytest.approx(ratio)


def test_a_row_that_was_skipped_at_one_speed_is_there_at_the_others(corpus: Path, caplog):
    left_out = ("sp0.9-train-4", "train-5", *(f"{prefix}train-6" for prefix in PREFIXES))
    add_speeds(corpus / "units/train.units", left_out)
    train = load_splits(corpus / "manifest", corpus / "units")[0]
    assert "train.tsv: 5 rows, each speed counted, were skipped by the stage units and give no speech" in caplog.text
    expected = [f"{prefix}{name}" for name in spoken_ids(corpus) for prefix in PREFIXES]
    assert [row.id for row in train.spoken_rows()] == [name for name in expected if name not in left_out]
    data_bin = run_binarize(corpus)
    assert [line[0] for line in origins(data_bin, "st")] == [name for name in expected if name not in left_out]
    assert [line[0] for line in origins(data_bin, "mt")] == [row.id for row in train.utterances if row.src_text]


def test_channels_that_cancel_are_told_of_at_every_speed(corpus: Path):
    add_speeds(corpus / "units/train.units")
    first = [f"{prefix}train-2" for prefix in PREFIXES]
    edit_card(corpus / "units/train.card.json", cancelled={"count": 3, "first": first})
    found = read_card(run_binarize(corpus), "binarize")["counts"]["train"]["st"]["cancelled"]
    assert found == {"count": 3, "first": [6, 7, 8]}


def test_a_data_bin_of_several_speeds_can_be_looked_at(corpus: Path):
    add_speeds(corpus / "units/train.units", ("sp0.9-train-4", "train-5"))
    edit_card(corpus / "units/train.card.json", cancelled={"count": 1, "first": ["sp1.1-train-2"]})
    assert main(["inspect", str(run_binarize(corpus)), "--out", str(corpus / "report")]) == 0
    report = json.loads((corpus / "report/report.json").read_text(encoding="utf-8"))
    warned = {row["id"] for warning in report["checks"]["warnings"] for row in warning.get("examples", ())}
    assert "sp1.1-train-2" in warned
    assert main(["subwords", "--units", str(corpus / "units/train.units"), *subword_options(corpus)]) == 0


def subword_options(corpus: Path) -> list[str]:
    train = str(corpus / "manifest/train.tsv")
    sizes = ["--unit-vocab", "14", "--source-vocab", "19", "--target-vocab", "22"]
    return ["--source-text", train, "--target-text", train, *sizes, "--out", str(corpus / "again")]


@pytest.mark.parametrize("split", ["dev", "test", "test_far"])
def test_other_speeds_of_what_is_measured_are_refused(corpus: Path, split: str):
    add_speeds(corpus / f"units/{split}.units")
    message = rf"units/{split}\.units: holds speech at the speeds 0\.9,1,1\.1, which only train may have; run the stage"
    with pytest.raises(UnitsError, match=message):
        run_binarize(corpus)
    assert not (corpus / "data-bin").exists()


def test_units_that_lack_a_speed_without_saying_so_are_refused(corpus: Path):
    path = corpus / "units/train.units"
    add_speeds(path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("sp1.1-train-3\t")))
    edit_card(path.with_suffix(".card.json"), hashes={path.name: measure(path)})
    with pytest.raises(UnitsError, match=r"lacks 1 of the 114 utterances of .*, the first is 'sp1\.1-train-3'"):
        load_splits(corpus / "manifest", corpus / "units")


def test_lines_at_a_speed_that_the_card_does_not_name_are_refused(corpus: Path):
    path = corpus / "units/train.units"
    add_speeds(path)
    edit_card(path.with_suffix(".card.json"), speeds=[1.0, 1.1])
    with pytest.raises(UnitsError, match=r"has 38 utterances that are no rows with audio .* first is 'sp0\.9-train-"):
        load_splits(corpus / "manifest", corpus / "units")


def test_a_card_of_before_there_were_speeds_is_of_speed_1(corpus: Path):
    path = corpus / "units/train.card.json"
    assert json.loads(path.read_text())["speeds"] == [1.0]
    edit_card(path, speeds=...)
    train = load_splits(corpus / "manifest", corpus / "units")[0]
    assert train.speeds == (1.0,)
    rows = [row for row in train.utterances if row.audio is not None]
    assert list(train.spoken_rows()) == rows
    assert list(replace(train, units_card=None).spoken_rows()) == rows
