"""What `binarize` says of inputs that do not fit, and what it leaves on disk when it does not come to its end."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cards import read_card
from spoken_corpus import NUM_UNITS, SIZES, arguments_of, make_corpus, make_kmeans, run_binarize, write_units_card

from preprocess.__main__ import main
from preprocess.data_bin import writer as streams
from preprocess.errors import ManifestError, MismatchError, PreprocessError, UnitsError, VocabularyError
from preprocess.files.units import format_units, read_units

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def made_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "corpus"
    make_corpus(folder)
    return folder


@pytest.fixture
def corpus(made_corpus: Path, tmp_path: Path) -> Path:
    """A copy, without data-bin, that a test may spoil."""
    return shutil.copytree(made_corpus, tmp_path / "corpus", ignore=shutil.ignore_patterns("data-bin"))


def test_text_that_the_subwords_do_not_know_is_counted(corpus: Path, caplog: pytest.LogCaptureFixture):
    (corpus / "mt.en").write_text("a dog\na 漢 dog\n", encoding="utf-8")
    run_binarize(corpus, "--mt-text", corpus / "mt.en", corpus / "mt.fr")
    assert "train.mt: 4 source tokens are <unk>" in caplog.text
    assert f"(first: source of {corpus / 'mt.en'}:2)" in caplog.text


def test_units_without_a_card_are_accepted_with_a_warning(corpus: Path, caplog: pytest.LogCaptureFixture):
    for path in (corpus / "units").glob("*.card.json"):
        path.unlink()
    data_bin = run_binarize(corpus)
    assert "train.units has no card" in caplog.text
    assert "no k-means folder is known" in caplog.text
    card = read_card(data_bin, "binarize")
    assert (card["kmeans"], card["ratios"]["units_per_second"]) == (None, None)
    assert card["counts"]["train"]["st"]["seconds"] == 57.0  # from the manifest
    assert card["signature"].startswith("?|L?|k?|")
    data_bin = run_binarize(corpus, "--kmeans", corpus / "kmeans")
    assert read_card(data_bin, "binarize")["signature"].startswith("mfcc|L0|k12|")
    assert (data_bin / "kmeans" / "centroids.npz").is_file()


def rewrite_units(path: Path, change: str, kmeans: Path) -> None:
    rows = list(read_units(path))
    rows = {"missing": rows[1:], "surplus": [*rows, ("stranger", [1])]}[change]
    path.write_text("".join(format_units(*row) for row in rows), encoding="utf-8")
    write_units_card(path, kmeans)


def test_units_and_manifest_must_hold_the_same_utterances(corpus: Path):
    path = corpus / "units" / "dev.units"
    whole = path.read_bytes()
    first = next(read_units(path))[0]
    rewrite_units(path, "missing", corpus / "kmeans")
    with pytest.raises(
        UnitsError, match=rf"dev\.units lacks 1 of the 5 .*dev\.tsv, the first is '{first}' \(.*tsv:\d\)"
    ):
        run_binarize(corpus)
    path.write_bytes(whole)
    rewrite_units(path, "surplus", corpus / "kmeans")
    with pytest.raises(UnitsError, match=r"dev\.units has 1 utterances that are no rows .*dev\.tsv, .*'stranger'"):
        run_binarize(corpus)
    path.unlink()
    with pytest.raises(UnitsError, match=r"dev\.units is missing: .*dev\.tsv has 5 rows with audio"):
        run_binarize(corpus)
    assert not (corpus / "data-bin").exists()


def test_units_of_another_kmeans_are_refused(corpus: Path):
    make_kmeans(corpus / "other", seed=1)
    with pytest.raises(MismatchError, match=r"other and .*train\.units come from different k-means"):
        run_binarize(corpus, "--kmeans", corpus / "other")
    write_units_card(corpus / "units" / "dev.units", corpus / "other")
    with pytest.raises(MismatchError, match=r"train\.units and .*dev\.units come from different k-means"):
        run_binarize(corpus)
    for split in SIZES:
        write_units_card(corpus / "units" / f"{split}.units", corpus / "other")
    with pytest.raises(MismatchError, match=r"units and .*subwords come from different k-means"):
        run_binarize(corpus)
    assert not (corpus / "data-bin").exists()


def test_units_that_do_not_fit_the_subwords_or_the_kmeans_are_refused(corpus: Path):
    path = corpus / "units" / "test.units"
    path.write_text(path.read_text(encoding="utf-8").replace("\t", f"\t{NUM_UNITS} "), encoding="utf-8")
    with pytest.raises(MismatchError, match=r"test\.units: has changed since it was made"):
        run_binarize(corpus)
    path.with_suffix(".card.json").unlink()
    with pytest.raises(
        MismatchError, match=r"test\.units: utterance 'test-\d' has unit 12, .*12 clusters \(units 0\.\.11\)"
    ):
        run_binarize(corpus)
    for card in (corpus / "units").glob("*.card.json"):
        card.unlink()
    with pytest.raises(VocabularyError, match=r"test\.units: a unit of utterance 'test-0' is not in the unit model"):
        run_binarize(corpus)
    assert [entry.name for entry in corpus.iterdir() if "data-bin" in entry.name] == []


def test_a_kmeans_that_moved_must_be_named(corpus: Path):
    (corpus / "kmeans").rename(corpus / "moved")
    with pytest.raises(PreprocessError, match=r"train\.card\.json: the k-means folder that it names, .*with --kmeans"):
        run_binarize(corpus)
    assert (run_binarize(corpus, "--kmeans", corpus / "moved") / "kmeans" / "card.json").is_file()


def test_external_text_must_be_pairs_of_parallel_files(corpus: Path):
    with pytest.raises(ManifestError, match=r"mt\.en is without its translation: .*pairs of files, SRC TGT"):
        run_binarize(corpus, "--mt-text", corpus / "mt.en")
    (corpus / "mt.fr").write_text("un chien\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"mt\.en has 2 lines, .*mt\.fr has 1"):
        run_binarize(corpus, "--mt-text", corpus / "mt.en", corpus / "mt.fr")
    (corpus / "manifest" / "train.tsv").unlink()
    with pytest.raises(ManifestError, match=r"goes into train, but there is no train\.tsv"):
        run_binarize(corpus, "--mt-text", corpus / "mt.en", corpus / "mt.fr")
    assert not (corpus / "data-bin").exists()


def test_manifests_must_be_there(corpus: Path, caplog: pytest.LogCaptureFixture):
    (corpus / "manifest" / "tests.tsv.old").touch()
    (corpus / "manifest" / "test.tsv").rename(corpus / "manifest" / "other.tsv")
    run_binarize(corpus)
    assert "other.tsv is not used" in caplog.text
    for manifest in (corpus / "manifest").glob("*.tsv"):
        manifest.unlink()
    with pytest.raises(ManifestError, match=r"expected train\.tsv, dev\.tsv or test\*\.tsv there, found none"):
        run_binarize(corpus)


def test_audio_is_not_needed_any_more(corpus: Path):
    (corpus / "manifest" / "silence.wav").unlink()
    assert read_card(run_binarize(corpus), "binarize")["counts"]["train"]["st"]["examples"] == 38


def test_all_pieces_can_be_kept_of_a_text_model_only(corpus: Path):
    with pytest.raises(PreprocessError, match=r"--keep-all-pieces is for subwords with a text model, .*subwords has"):
        run_binarize(corpus, "--keep-all-pieces")


def test_an_error_in_the_middle_leaves_the_old_data_bin(corpus: Path, monkeypatch: pytest.MonkeyPatch):
    data_bin = run_binarize(corpus)
    before = {path.name: path.read_bytes() for path in data_bin.iterdir() if path.is_file()}

    def fail(writer: streams.StreamWriter) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(streams.StreamWriter, "close", fail)
    with pytest.raises(PreprocessError, match=r"cannot write .*data-bin: No space left on device"):
        run_binarize(corpus, "--repeat", 2)
    assert {path.name: path.read_bytes() for path in data_bin.iterdir() if path.is_file()} == before
    assert [entry.name for entry in corpus.iterdir() if "partial" in entry.name] == []


def test_a_killed_run_leaves_no_data_bin_and_the_next_one_makes_it(corpus: Path):
    code = f"""
import os, signal
from preprocess.data_bin import writer
from preprocess.__main__ import main
writer.StreamWriter.close = lambda writer: os.kill(os.getpid(), signal.SIGKILL)
main({arguments_of(corpus)!r})
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode == -9
    assert not (corpus / "data-bin").exists()
    assert main(arguments_of(corpus)) == 0
    assert read_card(corpus / "data-bin", "binarize")["counts"]["train"]["st"]["examples"] == 38
    assert [entry.name for entry in corpus.iterdir() if "partial" in entry.name] == []


def test_the_command_line_prints_the_table(corpus: Path, capsys: pytest.CaptureFixture[str]):
    assert main(arguments_of(corpus)) == 0
    printed = capsys.readouterr().out
    assert [line.split()[:3] for line in printed.splitlines()[1:3]] == [["train", "st", "38"], ["train", "mt", "33"]]
    assert "units per second: 26.00" in printed
    assert printed.strip().endswith("mfcc|L0|k12|dedup|spm14+19|x4|v0.3")
