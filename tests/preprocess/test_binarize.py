"""Truth: what fairseq's own Dictionary and indexed dataset read back, put together again, is what went in."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from preprocess import binarize, streams
from preprocess.__main__ import main
from preprocess.card import hash_file, read_card
from preprocess.errors import ManifestError, MismatchError, PreprocessError, UnitsError, VocabularyError
from preprocess.kmeans import save_kmeans
from preprocess.manifest import Utterance, read_manifest, write_manifest
from preprocess.streams import needed_for_ctc
from preprocess.units import format_units, read_units, text_to_units

ROOT = Path(__file__).resolve().parents[2]
NUM_UNITS = 12
SIZES = {"train": 40, "dev": 5, "test": 6, "test_far": 4}
ENGLISH = ["a", "dog", "barks", "at", "night", '"no"', "it's"]
FRENCH = ["un", "chien", "aboie", "la", "nuit", "«\u00a0non\u00a0»", "l'été"]


def make_rows(split: str, folder: Path) -> Iterator[tuple[Utterance, list[int] | None]]:
    """Rows with audio, without a transcript (every 5th), and without audio (the last two of train)."""
    generator = random.Random(split)
    for index in range(SIZES[split]):
        words = generator.choices(range(len(ENGLISH)), k=generator.randint(2, 4))
        units = generator.sample(range(NUM_UNITS), 11)
        has_audio = split != "train" or index < SIZES[split] - 2
        transcript = "" if index % 5 == 3 and has_audio else " ".join(ENGLISH[word] for word in words)
        yield (
            Utterance(
                id=f"{split}-{index}",
                audio=folder / "silence.wav" if has_audio else None,
                offset=0.0,
                duration=1.5 if has_audio else None,
                src_lang="en",
                tgt_lang="fr",
                src_text=transcript,
                tgt_text=" ".join(FRENCH[word] for word in words),
                speaker="",
            ),
            units if has_audio else None,
        )


def make_kmeans(folder: Path, seed: int) -> None:
    centroids = np.random.default_rng(seed).standard_normal((NUM_UNITS, 3)).astype(np.float32)
    extractor = {"name": "mfcc", "layer": 0, "hash": "", "frame_shift_seconds": 0.02, "width": 3}
    card = {"stage": "kmeans", "version": "0", "extractor": extractor, "clusters": NUM_UNITS, "seed": seed}
    save_kmeans(folder, centroids, card)


def write_units_card(units_path: Path, kmeans: Path) -> None:
    """What the stage `units` writes beside FILE.units; 39 frames an utterance of 1.5 s."""
    num_utterances = len(read_units(units_path))
    card = {
        "stage": "units",
        "version": "0",
        "kmeans": read_card(kmeans, "kmeans"),
        "kmeans_folder": os.path.relpath(kmeans, units_path.parent),
        "utterances": num_utterances,
        "seconds": 1.5 * num_utterances,
        "frames": 39 * num_utterances,
        "hashes": {units_path.name: hash_file(units_path)},
    }
    units_path.with_suffix(".card.json").write_text(json.dumps(card), encoding="utf-8")


def make_corpus(folder: Path) -> None:
    """folder/{manifest,units,kmeans,subwords,mt.en,mt.fr}."""
    for name in ("manifest", "units"):
        (folder / name).mkdir(parents=True)
    (folder / "manifest" / "silence.wav").touch()
    make_kmeans(folder / "kmeans", seed=0)
    for split in SIZES:
        rows = list(make_rows(split, folder / "manifest"))
        write_manifest(folder / "manifest" / f"{split}.tsv", [row for row, _ in rows])
        lines = [format_units(row.id, units) for row, units in rows if units is not None]
        random.Random(1).shuffle(lines)  # the order of the manifest counts
        (folder / "units" / f"{split}.units").write_text("".join(lines), encoding="utf-8")
        write_units_card(folder / "units" / f"{split}.units", folder / "kmeans")
    train = str(folder / "manifest" / "train.tsv")
    options = ["--units", str(folder / "units" / "train.units"), "--source-text", train, "--target-text", train]
    sizes = ["--unit-vocab", "14", "--source-vocab", "19", "--target-vocab", "22"]
    assert main(["subwords", *options, *sizes, "--out", str(folder / "subwords")]) == 0
    (folder / "mt.en").write_text("a dog\nat  night\n", encoding="utf-8")
    (folder / "mt.fr").write_text("un chien\nla nuit\n", encoding="utf-8")


def arguments_of(folder: Path, *more: object) -> list[str]:
    options = [
        "--manifest-dir",
        folder / "manifest",
        "--units-dir",
        folder / "units",
        "--subwords",
        folder / "subwords",
    ]
    return ["binarize", *map(str, options), "--out", str(folder / "data-bin"), *map(str, more)]


def run_binarize(folder: Path, *more: object) -> Path:
    """Run the stage with its own parser, errors not caught."""
    import argparse

    parser = argparse.ArgumentParser()
    binarize.add_arguments(parser)
    binarize.run(parser.parse_args(arguments_of(folder, *more)[1:]))
    return folder / "data-bin"


@pytest.fixture(scope="module")
def made_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "corpus"
    make_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def data_bin(made_corpus: Path) -> Path:
    """Do not change it."""
    return run_binarize(made_corpus, "--mt-text", made_corpus / "mt.en", made_corpus / "mt.fr")


@pytest.fixture
def corpus(made_corpus: Path, tmp_path: Path) -> Path:
    """A copy, without data-bin, that a test may spoil."""
    return shutil.copytree(made_corpus, tmp_path / "corpus", ignore=shutil.ignore_patterns("data-bin"))


def read_back(data_bin: Path, name: str, side: str) -> list[list[str]]:
    """Symbols of every example by fairseq; each must end in its only </s>."""
    from fairseq.data import Dictionary
    from fairseq.data.indexed_dataset import make_dataset

    dictionary = Dictionary.load(str(data_bin / f"dict.{side}.txt"))
    dataset = make_dataset(str(data_bin / name), impl="mmap")
    examples = [[dictionary[index] for index in example] for example in dataset]
    assert all(symbols.index("</s>") == len(symbols) - 1 for symbols in examples)
    return [symbols[:-1] for symbols in examples]


def text_of(symbols: list[str]) -> str:
    return "".join(symbols).replace("▁", " ").strip()


def collapse(text: str) -> str:
    return " ".join(text.split())


def test_speech_reads_back_as_the_units_transcripts_and_translations_of_the_manifest(data_bin: Path, made_corpus: Path):
    for split, name in {"train": "train", "dev": "valid", "test": "test", "test_far": "test_far"}.items():
        spoken = [row for row in read_manifest(made_corpus / "manifest" / f"{split}.tsv") if row.audio is not None]
        units = dict(read_units(made_corpus / "units" / f"{split}.units"))
        sources = read_back(data_bin, f"{name}.st.src", "src")
        assert [text_to_units("".join(symbols)) for symbols in sources] == [units[row.id] for row in spoken]
        assert [text_of(symbols) for symbols in read_back(data_bin, f"{name}.st.tgt", "tgt")] == [
            collapse(row.tgt_text) for row in spoken
        ]
        assert [text_of(symbols) for symbols in read_back(data_bin, f"{name}.st.transcript", "src")] == [
            row.src_text for row in spoken
        ]


def test_text_reads_back_with_every_source_token_repeated(data_bin: Path, made_corpus: Path):
    for split, name in {"train": "train", "dev": "valid", "test": "test"}.items():
        rows = [row for row in read_manifest(made_corpus / "manifest" / f"{split}.tsv") if row.src_text]
        pairs = [(row.src_text, collapse(row.tgt_text)) for row in rows]
        pairs += [("a dog", "un chien"), ("at night", "la nuit")] if split == "train" else []
        sources = read_back(data_bin, f"{name}.mt.src", "src")
        for symbols in sources:
            assert symbols == [symbol for symbol in symbols[::4] for _ in range(4)]
        targets = read_back(data_bin, f"{name}.mt.tgt", "tgt")
        assert [(text_of(a[::4]), text_of(b)) for a, b in zip(sources, targets, strict=True)] == pairs
    assert any(row.audio is None for row in read_manifest(made_corpus / "manifest" / "train.tsv"))


def test_references_are_the_translations_in_the_order_of_the_examples(data_bin: Path):
    for name in ("valid.st", "valid.mt", "test.st", "test_far.st"):
        references = (data_bin / f"{name}.ref.txt").read_text(encoding="utf-8").splitlines()
        assert references == [text_of(symbols) for symbols in read_back(data_bin, f"{name}.tgt", "tgt")]
    assert not list(data_bin.glob("train*.ref.txt"))


def test_the_card_counts_what_is_there(data_bin: Path, made_corpus: Path):
    card = read_card(data_bin, "binarize")
    assert card["languages"] == {"source": "en", "target": "fr"}
    assert card["signature"] == "mfcc|L0|k12|dedup|spm14+19|x4|v" + card["version"]
    assert card["kmeans"] == read_card(made_corpus / "kmeans", "kmeans")
    speech, text = card["counts"]["train"]["st"], card["counts"]["train"]["mt"]
    sources, transcripts = (read_back(data_bin, f"train.st.{kind}", "src") for kind in ("src", "transcript"))
    assert speech["examples"] == len(sources) == 38
    assert speech["source_tokens"] == sum(map(len, sources))
    assert speech["transcripts"] == sum(map(bool, transcripts))
    assert speech["seconds"] == 38 * 1.5
    assert text["examples"] == len(read_back(data_bin, "train.mt.tgt", "tgt"))
    ratios = card["ratios"]
    assert ratios["units_per_second"] == pytest.approx(39 / 1.5)
    assert ratios["deduplicated_units_per_second"] == pytest.approx(11 / 1.5)
    assert ratios["unit_subwords_per_second"] == pytest.approx(sum(map(len, sources)) / 57)
    pairs = [(len(a), 4 * len(b)) for a, b in zip(sources, transcripts, strict=True) if b]
    assert ratios["repeated_text_to_speech_length"] == pytest.approx(
        sum(b for _, b in pairs) / sum(a for a, _ in pairs)
    )
    for name in ("dict.src.txt", "dict.tgt.txt", "subwords/unit.model", "kmeans/centroids.npz"):
        assert card["hashes"][name] == hash_file(data_bin / name)
    assert card["dictionary"] == {"unit_subwords": 14, "source_subwords": 19, "target_subwords": 22}
    assert len((data_bin / "dict.src.txt").read_text(encoding="utf-8").split("\n")) == 14 + 19 + 1


def test_examples_too_short_for_ctc_are_counted_and_named(corpus: Path, caplog: pytest.LogCaptureFixture):
    from fairseq.data.indexed_dataset import make_dataset

    path = corpus / "units" / "dev.units"
    rows = read_units(corpus / "units" / "test.units")
    path.write_text("".join(format_units(f"dev-{i}", row[1][: 2 * i + 1]) for i, row in enumerate(rows[:5])))
    path.with_suffix(".card.json").unlink()
    data_bin = run_binarize(corpus)
    sources, targets = (list(make_dataset(str(data_bin / f"valid.st.{side}"), impl="mmap")) for side in ("src", "tgt"))
    expected = []
    for index, (source, target) in enumerate(zip(sources, targets, strict=True)):
        labels = target.tolist()[:-1]
        needed = len(labels) + sum(a == b for a, b in pairwise(labels))
        if len(source) < needed:
            expected.append(f"valid\tst\tdev-{index}\ttarget\t{len(source)}\t{needed}")
    named = (data_bin / "ctc_infeasible.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line for line in named if line.startswith("valid\tst") and "\ttarget\t" in line] == expected != []
    found = read_card(data_bin, "binarize")["counts"]["valid"]["st"]
    assert found["ctc_infeasible"] == len(expected)
    assert found["source_ctc_infeasible"] == sum("valid\tst" in line and "transcript" in line for line in named) > 0
    assert f"{len(named)} times a source is too short" in caplog.text


def test_the_length_that_ctc_needs_is_where_torchs_loss_becomes_finite():
    import torch

    for labels in ([1], [1, 2, 3], [1, 1], [1, 1, 1, 2, 2], [2, 1, 2, 1]):
        needed = needed_for_ctc(np.array(labels))
        for length in range(1, 10):
            log_probs = torch.zeros(length, 1, 4).log_softmax(-1)
            loss = torch.nn.functional.ctc_loss(
                log_probs, torch.tensor([labels]), torch.tensor([length]), torch.tensor([len(labels)]), reduction="sum"
            )
            assert bool(torch.isfinite(loss)) == (length >= needed)
    assert needed_for_ctc(np.array([], dtype=np.int64)) == 0


def test_repeat_says_how_often_a_token_is_written(corpus: Path):
    data_bin = run_binarize(corpus, "--repeat", 1)
    rows = [row for row in read_manifest(corpus / "manifest" / "dev.tsv") if row.src_text]
    assert [text_of(symbols) for symbols in read_back(data_bin, "valid.mt.src", "src")] == [
        row.src_text for row in rows
    ]
    with pytest.raises(PreprocessError, match="--repeat must be at least 1, got 0"):
        run_binarize(corpus, "--repeat", 0)


def test_a_split_without_transcripts_has_no_transcript_and_no_text_files(corpus: Path):
    path = corpus / "manifest" / "dev.tsv"
    rows = [row for row, _ in make_rows("dev", corpus / "manifest")]
    write_manifest(path, [Utterance(**{**vars(row), "src_text": ""}) for row in rows])
    data_bin = run_binarize(corpus)
    assert sorted(file.name for file in data_bin.glob("valid.*.bin")) == ["valid.st.src.bin", "valid.st.tgt.bin"]


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
    rows = read_units(path)
    rows = {"missing": rows[1:], "surplus": [*rows, ("stranger", [1])]}[change]
    path.write_text("".join(format_units(*row) for row in rows), encoding="utf-8")
    write_units_card(path, kmeans)


def test_units_and_manifest_must_hold_the_same_utterances(corpus: Path):
    path = corpus / "units" / "dev.units"
    whole = path.read_bytes()
    first = read_units(path)[0][0]
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
    with pytest.raises(MismatchError, match=r"test\.units has changed since it was made"):
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
    with pytest.raises(ManifestError, match=r"needs pairs of files, SRC TGT, got 1: .*mt\.en"):
        run_binarize(corpus, "--mt-text", corpus / "mt.en")
    (corpus / "mt.fr").write_text("un chien\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"mt\.en has 2 lines, .*mt\.fr has 1"):
        run_binarize(corpus, "--mt-text", corpus / "mt.en", corpus / "mt.fr")
    (corpus / "manifest" / "train.tsv").unlink()
    with pytest.raises(ManifestError, match=r"goes into train, but there is no train\.tsv"):
        run_binarize(corpus, "--mt-text", corpus / "mt.en", corpus / "mt.fr")
    assert not (corpus / "data-bin").exists()


def test_manifests_must_be_there_and_of_one_pair_of_languages(corpus: Path, caplog: pytest.LogCaptureFixture):
    path = corpus / "manifest" / "test.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace("\ten\tfr\t", "\ten\tde\t"), encoding="utf-8")
    (corpus / "manifest" / "tests.tsv.old").touch()
    with pytest.raises(ManifestError, match=r"test\.tsv:2: expected en to fr as in .*train\.tsv:2, found en to de"):
        run_binarize(corpus)
    path.rename(corpus / "manifest" / "other.tsv")
    run_binarize(corpus)
    assert "other.tsv is not used" in caplog.text
    for manifest in (corpus / "manifest").glob("*.tsv"):
        manifest.unlink()
    with pytest.raises(ManifestError, match=r"expected train\.tsv, dev\.tsv or test\*\.tsv there, found none"):
        run_binarize(corpus)


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
from preprocess import streams
from preprocess.__main__ import main
streams.StreamWriter.close = lambda writer: os.kill(os.getpid(), signal.SIGKILL)
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
    assert printed.strip().endswith("mfcc|L0|k12|dedup|spm14+19|x4|v0.1")
