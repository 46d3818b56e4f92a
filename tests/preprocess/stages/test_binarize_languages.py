"""Several target languages in one data-bin. Truth: the rows of the manifest, and what fairseq reads back."""

from itertools import pairwise
from pathlib import Path

import pytest
from cards import read_card
from sentencepiece import SentencePieceProcessor
from spoken_corpus import make_corpus, run_binarize
from toy import make_toy_data_bin, run_preprocess

from preprocess.errors import VocabularyError
from preprocess.files.cards.stage_cards import SubwordsCard
from preprocess.files.languages import Languages, LanguageSymbols, find_language_symbols
from preprocess.files.manifest import Utterance, read_manifest, write_manifest
from preprocess.vocabulary.dictionary import make_dictionaries
from preprocess.vocabulary.models import Subwords
from preprocess.vocabulary.training import train_model


@pytest.fixture(scope="module")
def data_bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """English to French and German, row by row in turn. Do not change it."""
    return make_toy_data_bin(tmp_path_factory.mktemp("languages"), targets=("fr", "de"))


def read_back(data_bin: Path, name: str, side: str) -> list[list[str]]:
    from fairseq.data import Dictionary
    from fairseq.data.indexed_dataset import make_dataset

    dictionary = Dictionary.load(str(data_bin / f"dict.{side}.txt"))
    return [[dictionary[index] for index in example] for example in make_dataset(str(data_bin / name), impl="mmap")]


def rows_of(data_bin: Path, stream: str) -> list[Utterance]:
    rows = read_manifest(data_bin.parent / "manifest" / "dev.tsv", check_audio=False)
    return [row for row in rows if stream == "st" or row.src_text]


@pytest.mark.parametrize("stream", ["st", "mt"])
def test_source_and_target_begin_with_the_symbol_of_the_rows_target_language(data_bin: Path, stream: str):
    expected = [f"<lang:{row.tgt_lang}>" for row in rows_of(data_bin, stream)]
    assert {"<lang:fr>", "<lang:de>"} == set(expected)
    for kind, side in (("src", "src"), ("tgt", "tgt")):
        examples = read_back(data_bin, f"valid.{stream}.{kind}", side)
        assert [symbols[0] for symbols in examples] == expected
        assert all("<lang:" not in symbol for symbols in examples for symbol in symbols[1:])
        assert all(symbols.index("</s>") == len(symbols) - 1 for symbols in examples)


def test_the_symbol_is_not_repeated_and_not_part_of_the_text(data_bin: Path):
    rows = rows_of(data_bin, "mt")
    sources, targets = read_back(data_bin, "valid.mt.src", "src"), read_back(data_bin, "valid.mt.tgt", "tgt")
    for row, source, target in zip(rows, sources, targets, strict=True):
        assert source[1:-1] == [piece for piece in source[1:-1:4] for _ in range(4)]
        assert "".join(source[1:-1:4]).replace("▁", " ").strip() == row.src_text
        assert "".join(target[1:-1]).replace("▁", " ").strip() == row.tgt_text


def test_transcripts_have_no_symbol(data_bin: Path):
    transcripts = read_back(data_bin, "valid.st.transcript", "src")
    assert any(len(symbols) > 1 for symbols in transcripts)
    assert not any("<lang:" in symbol for symbols in transcripts for symbol in symbols)


@pytest.mark.parametrize("stream", ["st", "mt"])
def test_language_and_reference_files_have_the_lines_of_the_rows(data_bin: Path, stream: str):
    for kind, column in (("lang", "tgt_lang"), ("ref", "tgt_text")):
        lines = (data_bin / f"valid.{stream}.{kind}.txt").read_text(encoding="utf-8").splitlines()
        assert lines == [getattr(row, column) for row in rows_of(data_bin, stream)]
    assert not list(data_bin.glob("train*.txt"))


def test_the_symbols_come_last_in_both_dictionaries(data_bin: Path):
    card = read_card(data_bin, "binarize")
    sizes = card["dictionary"]
    for side, num_pieces in (
        ("src", sizes["unit_subwords"] + sizes["source_subwords"]),
        ("tgt", sizes["target_subwords"]),
    ):
        lines = (data_bin / f"dict.{side}.txt").read_text(encoding="utf-8").splitlines()
        assert lines[num_pieces:] == ["<lang:de> 1", "<lang:fr> 1"]


def test_the_card_counts_tokens_without_symbols_and_examples_by_language(data_bin: Path):
    card = read_card(data_bin, "binarize")
    assert card["languages"] == {"source": ["en"], "target": ["de", "fr"]}
    for stream in ("st", "mt"):
        found = card["counts"]["valid"][stream]
        languages = [row.tgt_lang for row in rows_of(data_bin, stream)]
        assert found["target_languages"] == {language: languages.count(language) for language in ("de", "fr")}
        for side, key in (("src", "source_tokens"), ("tgt", "target_tokens")):
            examples = read_back(data_bin, f"valid.{stream}.{side}", side)
            assert found[key] == sum(len(symbols) - 2 for symbols in examples)


def test_ctc_labels_are_counted_without_the_symbol(data_bin: Path):
    rows = (data_bin / "ctc_infeasible.tsv").read_text(encoding="utf-8").splitlines()[1:]
    named = {line.split("\t")[2]: line.split("\t") for line in rows if line.startswith("valid\tst\t")}
    found = {}
    utterances = rows_of(data_bin, "st")
    sources, targets = (read_back(data_bin, f"valid.st.{side}", side) for side in ("src", "tgt"))
    for row, source, target in zip(utterances, sources, targets, strict=True):
        labels = target[1:-1]
        needed = len(labels) + sum(a == b for a, b in pairwise(labels))
        if len(source) < needed:
            found[row.id] = ["valid", "st", row.id, "target", str(len(source)), str(needed)]
    assert found == named != {}


def test_the_table_shows_the_examples_of_each_language(data_bin: Path, capsys: pytest.CaptureFixture[str]):
    folder = data_bin.parent
    folders = ["--manifest-dir", folder / "manifest", "--units-dir", folder / "units"]
    run_preprocess("binarize", *folders, "--subwords", folder / "subwords", "--out", folder / "again")
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.endswith("target languages")
    assert rows[0].endswith("de 150, fr 150")
    assert (folder / "again" / "card.json").read_bytes() == (data_bin / "card.json").read_bytes()


def test_several_source_languages_need_no_symbol(tmp_path: Path):
    folder = tmp_path / "corpus"
    make_corpus(folder)
    path = folder / "manifest" / "train.tsv"
    rows = read_manifest(path)
    write_manifest(path, [Utterance(**{**vars(row), "src_lang": "it"}) for row in rows[:20]] + rows[20:])
    data_bin = run_binarize(folder)
    card = read_card(data_bin, "binarize")
    assert (card["languages"], card["language_symbols"]) == ({"source": ["en", "it"], "target": ["fr"]}, None)
    assert not list(data_bin.glob("*.lang.txt"))


def test_a_language_that_training_lacks_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    folder = tmp_path / "corpus"
    make_corpus(folder)
    path = folder / "manifest" / "test.tsv"
    write_manifest(path, [Utterance(**{**vars(row), "tgt_lang": "nl"}) for row in read_manifest(path)])
    run_binarize(folder)
    assert f"{path}: no split before it has the target language nl" in caplog.text


def test_names_that_may_be_one_language_are_logged_with_their_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    folder = tmp_path / "corpus"
    make_corpus(folder)
    train, test = (folder / "manifest" / f"{split}.tsv" for split in ("train", "test"))
    write_manifest(test, [Utterance(**{**vars(row), "src_lang": "EN"}) for row in read_manifest(test)])
    run_binarize(folder)
    assert caplog.text.count(f"{test}:2: src_lang is 'EN' here and 'en' in {train}:2, which are two languages") == 1


def test_a_text_piece_like_a_language_symbol_is_refused():
    def train(text: str) -> SentencePieceProcessor:
        return SentencePieceProcessor(model_proto=train_model([text], len(text), "", is_text=False))

    symbols = find_language_symbols(Languages(("en",), ("x", "y")), None)
    assert symbols is not None
    sizes = {"num_units": 2, "unit_subwords": 2, "source_subwords": 2, "target_subwords": 2}
    card = SubwordsCard(**sizes, text_model=None, kmeans=None, hashes={})
    subwords = Subwords(train("ab"), train("cd"), train("ef"), card)
    assert make_dictionaries(subwords, symbols).target[-2:] == ["<lang:x>", "<lang:y>"]
    symbols = LanguageSymbols(symbols.convention, {"x": "e", "y": "<lang:y>"})
    with pytest.raises(VocabularyError, match=r"1 pieces of the text models are language symbols too, such as 'e'"):
        make_dictionaries(subwords, symbols)
