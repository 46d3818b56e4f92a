"""Truth: what fairseq's own Dictionary and indexed dataset read back, put together again, is what went in."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from cards import measure, read_card
from spoken_corpus import make_corpus, run_binarize
from stream_symbols import read_back, text_of

from preprocess.errors import PreprocessError
from preprocess.files.cards.named_files import list_files
from preprocess.files.manifest import Utterance, read_manifest, write_manifest
from preprocess.files.units import format_units, read_units, text_to_units


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


def test_the_examples_are_named_in_their_order(data_bin: Path, made_corpus: Path):
    for split, name in {"train": "train", "dev": "valid", "test": "test"}.items():
        rows = read_manifest(made_corpus / "manifest" / f"{split}.tsv")
        spoken = [f"{row.id}\t1.5\t\ten\tfr" for row in rows if row.audio is not None]
        written = [f"{row.id}\t\t\ten\tfr" for row in rows if row.src_text]
        if split == "train":
            written += [f"{made_corpus / 'mt.en'}:{line}\t\t\ten\tfr" for line in (1, 2)]
        for stream, expected in {"st": spoken, "mt": written}.items():
            lines = (data_bin / f"{name}.{stream}.origin.tsv").read_text(encoding="utf-8").splitlines()
            assert lines == ["id\tseconds\tspeaker\tsrc_lang\ttgt_lang", *expected]


def test_the_card_counts_what_is_there(data_bin: Path, made_corpus: Path):
    card = read_card(data_bin, "binarize")
    assert card["languages"] == {"source": ["en"], "target": ["fr"]}
    assert (card["language_symbols"], card["text_model"]) == (None, None)
    assert card["signature"] == "mfcc|L0|k12|dedup|spm14+19|x4|v" + card["version"]
    assert card["kmeans"] == read_card(made_corpus / "kmeans", "kmeans")
    speech, text = card["counts"]["train"]["st"], card["counts"]["train"]["mt"]
    sources, transcripts = (read_back(data_bin, f"train.st.{kind}", "src") for kind in ("src", "transcript"))
    assert speech["examples"] == len(sources) == 38
    assert speech["target_languages"] == {"fr": 38}
    assert speech["source_tokens"] == sum(map(len, sources))
    assert speech["transcripts"] == sum(map(bool, transcripts))
    assert (speech["seconds"], speech["long_seconds"]) == (38 * 1.5, 1.5)
    assert text["examples"] == len(read_back(data_bin, "train.mt.tgt", "tgt"))
    ratios = card["ratios"]
    assert ratios["units_per_second"] == pytest.approx(39 / 1.5)
    assert ratios["deduplicated_units_per_second"] == pytest.approx(11 / 1.5)
    assert ratios["unit_subwords_per_second"] == pytest.approx(sum(map(len, sources)) / 57)
    pairs = [(len(a), 4 * len(b)) for a, b in zip(sources, transcripts, strict=True) if b]
    assert ratios["repeated_text_to_speech_length"] == pytest.approx(
        sum(b for _, b in pairs) / sum(a for a, _ in pairs)
    )
    assert sorted([*card["hashes"], "card.json"]) == list_files(data_bin)
    for name in ("dict.src.txt", "subwords/unit.model", "kmeans/centroids.npz", "train.st.src.bin", "valid.mt.ref.txt"):
        assert card["hashes"][name] == measure(data_bin / name)
    sizes = {"unit_subwords": 14, "source_subwords": 19, "target_subwords": 22}
    assert card["dictionary"] == sizes | {"first_unit_subword": 4, "first_source_subword": 4 + 14}
    assert len((data_bin / "dict.src.txt").read_text(encoding="utf-8").split("\n")) == 14 + 19 + 1


def test_examples_too_short_for_ctc_are_counted_and_named(corpus: Path, caplog: pytest.LogCaptureFixture):
    from fairseq.data.indexed_dataset import make_dataset

    path = corpus / "units" / "dev.units"
    rows = list(read_units(corpus / "units" / "test.units"))
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
    rows = read_manifest(path)
    write_manifest(path, [Utterance(**{**vars(row), "src_text": ""}) for row in rows])
    data_bin = run_binarize(corpus)
    assert sorted(file.name for file in data_bin.glob("valid.*.bin")) == ["valid.st.src.bin", "valid.st.tgt.bin"]
