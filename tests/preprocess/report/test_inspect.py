"""The stage itself: data-bins of other shapes, what it prints, and what it says of folders that it cannot use."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cards import edit_card, measure, read_card
from spoken_corpus import make_corpus, run_binarize
from tiny_mbart import write_hugging_face_mbart
from toy import make_toy_data_bin, run_preprocess, toy_sentences

from preprocess.__main__ import main
from preprocess.errors import MismatchError, OutputError, PreprocessError
from preprocess.files.manifest import read_manifest, write_manifest

Inspect = Callable[[Path, Path], dict[str, Any]]


@pytest.fixture
def data_bin(corpus: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(corpus / "data-bin", tmp_path / "data-bin")


def test_the_command_writes_a_whole_folder_and_says_what_fits(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "report"
    for _ in range(2):  # the second time over the first
        assert main(["inspect", str(corpus / "data-bin"), "--out", str(out)]) == 0
    card = read_card(out, "inspect")
    assert card["hashes"] == {name: measure(out / name) for name in ("index.html", "report.json")}
    printed = capsys.readouterr().out
    assert str(out / "index.html") in printed
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["repeat_factors"]["advice"] in printed
    assert report["checks"]["warnings"]
    assert all(warning["text"] in printed for warning in report["checks"]["warnings"])


def test_language_symbols_are_no_tokens(tmp_path: Path, inspect: Inspect):
    figures = inspect(make_toy_data_bin(tmp_path, targets=("fr", "de")), tmp_path / "report")
    assert figures["streams"]["train"]["st"]["target_languages"] == {"de": 150, "fr": 150}
    units = [units for units, _, _ in toy_sentences(300, seed=0)]
    assert figures["units"]["train"]["deduplicated_units"] == sum(map(len, units))
    sources = [example["source"] for example in figures["examples"] if example["stream"] == "st"]
    assert all(source[0] in ("<lang:de>", "<lang:fr>") and isinstance(source[1], list) for source in sources)
    infeasible = read_card(tmp_path / "data-bin", "binarize")["counts"]["train"]["mt"]["ctc_infeasible"]
    assert figures["repeat_factors"]["factors"]["4"]["text_ctc_infeasible"] == infeasible


@pytest.mark.parametrize("convention", ["mbart-50", "mbart-cc25"])
def test_a_text_models_data_bin_can_be_looked_at(tmp_path: Path, inspect: Inspect, convention: str):
    write_hugging_face_mbart(tmp_path / "mbart", convention)
    make_toy_data_bin(tmp_path, text_model=tmp_path / "mbart")
    figures = inspect(tmp_path / "data-bin", tmp_path / "report")
    sentences = [sentence for _, sentence, _ in toy_sentences(21, seed=1)]
    example = next(example for example in figures["examples"] if example["stream"] == "st" and example["transcript"])
    assert example["source_text"] == sentences[example["index"]]
    assert (
        figures["vocabulary"]["source"]["used"] == figures["vocabulary"]["source"]["pieces"] - sum(1 for _ in ())
        or figures["vocabulary"]["source"]["used"] > 0
    )
    counts = read_card(tmp_path / "data-bin", "binarize")["counts"]["train"]
    assert figures["streams"]["train"]["st"]["source"]["tokens"] == counts["st"]["source_tokens"]
    assert convention in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


def binarize_without_transcripts(folder: Path, *options: object) -> Path:
    """The toy data-bin made again of manifests without source texts."""
    make_toy_data_bin(folder)
    for path in (folder / "manifest").iterdir():
        rows = [replace(row, src_text="") for row in read_manifest(path, check_audio=False)]
        write_manifest(path, rows)
    inputs = ["--manifest-dir", folder / "manifest", "--units-dir", folder / "units", "--subwords", folder / "subwords"]
    run_preprocess("binarize", *inputs, *options, "--out", folder / "data-bin")
    return folder / "data-bin"


def test_without_transcripts_and_text_no_factor_is_advised(tmp_path: Path, inspect: Inspect):
    figures = inspect(binarize_without_transcripts(tmp_path), tmp_path / "report")
    assert figures["repeat_factors"] is None
    assert figures["run_lengths"] == {}
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "How often to repeat" not in page
    assert "How long the runs of one unit were is not known" in page


def test_without_transcripts_the_streams_are_compared_on_the_whole(tmp_path: Path, inspect: Inspect):
    text = "".join(f"{english}\n" for _, english, _ in toy_sentences(50, seed=5))
    for name in ("a.en", "a.fr"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    data_bin = binarize_without_transcripts(tmp_path, "--mt-text", tmp_path / "a.en", tmp_path / "a.fr")
    figures = inspect(data_bin, tmp_path / "report")
    counts = read_card(data_bin, "binarize")["counts"]["train"]
    means = {stream: counts[stream]["source_tokens"] / counts[stream]["examples"] for stream in ("st", "mt")}
    found = figures["repeat_factors"]
    assert found["factors"]["4"]["ratio_of_lengths"] == pytest.approx(means["mt"] / means["st"])
    assert (found["paired_examples"], found["sample"]) == (0, [])
    assert "mean length" in found["advice"]


def test_a_data_bin_of_text_alone_can_be_looked_at(tmp_path: Path, inspect: Inspect):
    make_toy_data_bin(tmp_path)
    for path in (tmp_path / "manifest").iterdir():
        rows = [replace(row, audio=None, duration=None) for row in read_manifest(path, check_audio=False)]
        write_manifest(path, [row for row in rows if row.src_text])
    (tmp_path / "none").mkdir()
    inputs = ["--manifest-dir", tmp_path / "manifest", "--units-dir", tmp_path / "none"]
    run_preprocess("binarize", *inputs, "--subwords", tmp_path / "subwords", "--out", tmp_path / "text")
    figures = inspect(tmp_path / "text", tmp_path / "report")
    assert {name for streams in figures["streams"].values() for name in streams} == {"mt"}
    assert (figures["seconds"], figures["speakers"], figures["checks"]["not_checked"]) == ({}, {}, [])
    assert figures["examples"][0]["id"].startswith("dev-")
    assert "duplicate_text" in [warning["kind"] for warning in figures["checks"]["warnings"]]


def test_text_that_the_pieces_have_no_place_for_is_named_by_binarize_and_inspect(
    tmp_path: Path, inspect: Inspect, caplog: pytest.LogCaptureFixture
):
    folder = tmp_path / "corpus"
    make_corpus(folder)
    path = folder / "manifest" / "test.tsv"
    rows = read_manifest(path)
    rows[1], rows[3] = replace(rows[1], src_text="a▁dog"), replace(rows[3], tgt_text="▅ la nuit")
    write_manifest(path, rows)
    assert not any(warning["kind"] == "altered_text" for warning in checks_of(run_binarize(folder), inspect))
    assert "hold ▁" not in caplog.text
    edit_card(folder / "subwords" / "card.json", escapes=False)
    found = checks_of(run_binarize(folder), inspect)
    assert "test.st: 2 texts hold ▁ (U+2581), ▅ (U+2585) or NUL, which these pieces have no place" in caplog.text
    assert "(first: test-1)" in caplog.text
    (warning,) = (warning for warning in found if warning["kind"] == "altered_text")
    assert warning["text"].endswith(": 2 of 6 in test.st, 1 of 5 in test.mt.")
    shown = [(example["stream"], example["index"], example["id"]) for example in warning["examples"]]
    assert shown == [("st", 1, "test-1"), ("st", 3, "test-3"), ("mt", 1, "test-1")]


def checks_of(data_bin: Path, inspect: Inspect) -> list[dict[str, Any]]:
    """The warnings of a data-bin."""
    return inspect(data_bin, data_bin.with_name("report"))["checks"]["warnings"]


@pytest.mark.parametrize("change", [lambda lines: lines[:-1], lambda lines: [*lines, lines[-1]]])
def test_origins_of_other_examples_are_refused(
    data_bin: Path, tmp_path: Path, inspect: Inspect, change: Callable[[list[str]], list[str]]
):
    path = data_bin / "train.st.origin.tsv"
    path.write_text("".join(change(path.read_text(encoding="utf-8").splitlines(keepends=True))), encoding="utf-8")
    edit_card(data_bin / "card.json", remeasure=True)
    with pytest.raises(MismatchError, match=r"train\.st\.origin\.tsv: has changed .* says 38 examples, found 3[79]"):
        inspect(data_bin, tmp_path / "report")


def test_what_is_no_data_bin_is_refused(corpus: Path, data_bin: Path, tmp_path: Path, inspect: Inspect):
    with pytest.raises(PreprocessError, match=r"nothing: is not a finished output of the stage 'binarize'"):
        inspect(tmp_path / "nothing", tmp_path / "report")
    with pytest.raises(PreprocessError, match=r"expected the card of stage 'binarize', found 'subwords'"):
        inspect(corpus / "subwords", tmp_path / "report")
    with pytest.raises(PreprocessError, match=r"would replace .*, which is read"):
        inspect(data_bin, data_bin)
    edit_card(data_bin / "card.json", external_text=...)
    with pytest.raises(PreprocessError, match=r"card\.json: not a card of this form: .*external_text`; make it again"):
        inspect(data_bin, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_changed_file_is_named(data_bin: Path, tmp_path: Path, inspect: Inspect):
    with open(data_bin / "dict.tgt.txt", "a", encoding="utf-8") as file:
        file.write("more 1\n")
    with pytest.raises(MismatchError, match=r"dict\.tgt\.txt: has changed since it was made"):
        inspect(data_bin, tmp_path / "report")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), r"train\.mt\.src\.bin has changed since it was made"),
        (lambda path: path.unlink(), r"train\.mt\.src\.bin or \.idx is missing"),
        (lambda path: shutil.copy(path.with_name("valid.mt.src.idx"), path.with_suffix(".idx")), r"examples, found"),
        (
            lambda path: path.write_bytes(b"\x02\x00" * (path.stat().st_size // 2)),
            r"source of train\.mt has changed since it was made: the card says \d+ tokens, found 0",
        ),
    ],
)
def test_a_stream_that_is_not_what_the_card_says_is_named(
    data_bin: Path, tmp_path: Path, inspect: Inspect, change: Callable[[Path], object], message: str
):
    change(data_bin / "train.mt.src.bin")
    edit_card(data_bin / "card.json", remeasure=True)
    with pytest.raises(MismatchError, match=message):
        inspect(data_bin, tmp_path / "report")


def test_a_folder_of_the_users_own_is_not_overwritten(data_bin: Path, tmp_path: Path, inspect: Inspect):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").touch()
    with pytest.raises(OutputError, match=r"own: exists and is not an output of hmst preprocess inspect: "):
        inspect(data_bin, tmp_path / "own")
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["notes.txt"]


def test_without_matplotlib_the_user_is_told_what_to_install(
    data_bin: Path, tmp_path: Path, inspect: Inspect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PreprocessError, match=r"pip install matplotlib"):
        inspect(data_bin, tmp_path / "report")
