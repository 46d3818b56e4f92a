"""The table of forms, on examples made by hand, and what is read of data-bins that `preprocess` makes."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from cards import edit_card
from fairseq.data import Dictionary
from token_rows import Rows
from toy import build_task, toy_sentences

from fairseq_hmst.data.data_bin import DataBin, DataBinError
from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.data.stream_rows import StreamRows
from fairseq_hmst.data.streams import MixedStreams
from preprocess.files.languages import LanguageSymbolsEntry

EOS, PAD = 2, 1
DE, FR = 8, 9  # <de> and <fr> in the output dictionary


def dictionary(symbols):
    result = Dictionary()
    for symbol in symbols:
        result.add_symbol(symbol)
    return result


SOURCE = dictionary([*"uvwx", *"abcd", "<en>", "<de>", "<fr>"])
TARGET = dictionary([*"efgh", "<de>", "<fr>", "<en>", "<mask>"])


def card_with(entry):
    return SimpleNamespace(dictionary=SimpleNamespace(target_subwords=4), language_symbols=entry)


def symbols_of(source_form, target_form):
    entry = LanguageSymbolsEntry(source_form, target_form, {"en": "<en>", "de": "<de>", "fr": "<fr>"})
    return LanguageSymbolIds.from_card(card_with(entry if target_form else None), SOURCE, TARGET)


def batch_of(symbols, targets):
    rows = Rows(torch.tensor(target) for target in targets)
    sources = Rows(torch.tensor([4] * (9 - number) + [EOS]) for number in range(len(rows)))
    dataset = MixedStreams([StreamRows("st", sources, rows)], symbols)
    return dataset.collater([dataset[i] for i in range(len(rows))])


def test_without_symbols_the_decoder_reads_y_after_eos_and_writes_y():
    batch = batch_of(symbols_of(None, None), [[4, 5, 6, EOS], [7, EOS]])
    assert batch["net_input"]["prev_output_tokens"].tolist() == [[EOS, 4, 5, 6], [EOS, 7, PAD, PAD]]
    assert batch["target"].tolist() == [[4, 5, 6, EOS], [7, EOS, PAD, PAD]]
    assert batch["labels"].tolist() == [[4, 5, 6], [7, PAD, PAD]]
    assert batch["label_lengths"].tolist() == [3, 1]
    assert batch["ntokens"] == 6


@pytest.mark.parametrize("source_form", ["target_first", "source_first"])
def test_first_output_is_a_token_that_the_decoder_writes(source_form):
    batch = batch_of(symbols_of(source_form, "first_output"), [[DE, 4, 5, 6, EOS], [FR, 7, EOS]])
    assert batch["net_input"]["prev_output_tokens"].tolist() == [[EOS, DE, 4, 5, 6], [EOS, FR, 7, PAD, PAD]]
    assert batch["target"].tolist() == [[DE, 4, 5, 6, EOS], [FR, 7, EOS, PAD, PAD]]
    assert batch["labels"].tolist() == [[4, 5, 6], [7, PAD, PAD]]
    assert batch["label_lengths"].tolist() == [3, 1]
    assert batch["ntokens"] == 8


def test_first_input_is_read_in_place_of_eos():
    batch = batch_of(symbols_of("source_last", "first_input"), [[DE, 4, 5, 6, EOS], [FR, 7, EOS]])
    assert batch["net_input"]["prev_output_tokens"].tolist() == [[DE, 4, 5, 6], [FR, 7, PAD, PAD]]
    assert batch["target"].tolist() == [[4, 5, 6, EOS], [7, EOS, PAD, PAD]]
    assert batch["labels"].tolist() == [[4, 5, 6], [7, PAD, PAD]]
    assert batch["label_lengths"].tolist() == [3, 1]


@pytest.mark.parametrize(
    ("source_form", "target_form", "source", "start"),
    [
        (None, None, [4, 5, EOS], [EOS]),
        ("target_first", "first_output", [13, 4, 5, EOS], [EOS, DE]),
        ("source_first", "first_output", [12, 4, 5, EOS], [EOS, DE]),
        ("source_last", "first_input", [4, 5, EOS, 12], [DE]),
    ],
)
def test_input_without_targets_starts_in_the_given_language(source_form, target_form, source, start):
    symbols = symbols_of(source_form, target_form)
    sources = Rows([symbols.add_to_source(torch.tensor([4, 5, EOS]), "en", "de")])
    dataset = MixedStreams([StreamRows("st", sources, target_language="de")], symbols)
    batch = dataset.collater([dataset[0]])
    assert batch["net_input"]["src_tokens"].tolist() == [source]
    assert batch["net_input"]["prev_output_tokens"].tolist() == [start]
    assert symbols.num_start_tokens == len(start)
    assert batch["target"] is None
    assert "labels" not in batch


def test_all_that_is_no_text_is_known_by_id():
    assert symbols_of("source_first", "first_output").output_ids == {8, 9, 10, 11}
    assert symbols_of(None, None).output_ids == set()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"source": "first", "target": "first_output", "symbols": {}}, "as form of source symbols, found 'fi"),
        ({"source": "source_last", "target": "x", "symbols": {}}, "first_output, first_input as form of target"),
        (
            {"source": "source_last", "target": "first_input", "symbols": {"nl": "<nl>"}},
            "the language symbol <nl> is not in dict.src.txt",
        ),
    ],
)
def test_a_card_that_is_not_understood_is_refused(entry, message):
    with pytest.raises(ValueError, match=message):
        LanguageSymbolIds.from_card(card_with(LanguageSymbolsEntry(**entry)), SOURCE, TARGET)


def test_a_data_bin_whose_card_is_wrong_or_older_is_refused(two_target_data_bin, tmp_path):
    copy = shutil.copytree(two_target_data_bin, tmp_path / "copy")
    card = json.loads((copy / "card.json").read_text(encoding="utf-8"))
    edit_card(copy / "card.json", language_symbols=card["language_symbols"] | {"source": "x"})
    with pytest.raises(DataBinError, match=r"card.json: expected one of source_first, .* found 'x'; make the data-bin"):
        DataBin(copy)
    edit_card(copy / "card.json", language_symbols=card["language_symbols"], first_unit_character=0xE000)
    with pytest.raises(DataBinError, match=r"Invalid enum value 57344 - at `\$.first_unit_character`; make"):
        DataBin(copy)
    edit_card(copy / "card.json", language_symbols=..., first_unit_character=card["first_unit_character"])
    with pytest.raises(
        DataBinError,
        match="missing required field `language_symbols`; make it again by",
    ):
        DataBin(copy)


def test_sources_and_targets_of_a_real_data_bin_name_the_language_of_each_row(language_data_bin):
    task = build_task(language_data_bin)
    data_bin, dataset = task.data_bin, task.dataset("valid")
    symbols = data_bin.card.language_symbols.symbols
    for row in range(21):
        language = ("fr", "de")[row % 2]
        example = dataset[row]
        assert data_bin.target_dictionary[example["target"][0]] == symbols[language]
        place = {"target_first": (0, language), "source_first": (0, "en"), "source_last": (-1, "en")}
        where, named = place[data_bin.language_symbols.source_form]
        assert data_bin.source_dictionary[example["source"][where]] == symbols[named]
        labels = data_bin.language_symbols.labels(example["target"])
        pieces = [data_bin.target_dictionary[label] for label in labels]
        assert data_bin.subword_model("target").decode(pieces) == read_lines(data_bin, "valid", "ref")[row]
        assert read_lines(data_bin, "valid", "lang")[row] == language


def read_lines(data_bin, split, kind):
    return (data_bin.path / f"{split}.st.{kind}.txt").read_text(encoding="utf-8").splitlines()


def test_transcript_labels_count_source_text_alone_wherever_it_stands(language_data_bin):
    task = build_task(language_data_bin)
    data_bin = task.data_bin
    model = data_bin.subword_model("source")
    first = data_bin.card.dictionary.first_source_subword
    batch = task.dataset("valid").collater([task.dataset("valid")[row] for row in range(21)])
    for row, number in enumerate(batch["id"].tolist()):
        length = int(batch["transcript_lengths"][row])
        if length < 0:
            continue
        labels = data_bin.transcript_labels(batch["transcript"])[row, :length]
        pieces = [data_bin.source_dictionary[int(label) - 2 + first] for label in labels]
        assert model.decode(pieces) == toy_sentences(21, seed=1)[number][1]
        assert labels.max() < data_bin.num_transcript_labels
    others = torch.arange(len(data_bin.source_dictionary))
    labels = data_bin.transcript_labels(others)
    assert sorted(labels[labels > 1].tolist()) == list(range(2, data_bin.num_transcript_labels))
    for symbol in ("</s>", *data_bin.card.language_symbols.symbols.values()):
        assert labels[data_bin.source_dictionary.index(symbol)] == 1
    unit_pieces = data_bin.subword_model("unit")
    assert {
        int(labels[data_bin.source_dictionary.index(unit_pieces.id_to_piece(i))])
        for i in range(1, unit_pieces.get_piece_size())
    } == {1}


def test_transcript_ids_take_labels_back_and_leave_out_blank_and_what_is_no_source_text(language_data_bin):
    data_bin = DataBin(language_data_bin)
    all_ids = torch.arange(len(data_bin.source_dictionary))
    entry = data_bin.card.dictionary
    source_text = torch.arange(entry.first_source_subword, entry.first_source_subword + entry.source_subwords)
    assert torch.equal(data_bin.transcript_ids(data_bin.transcript_labels(all_ids)), source_text)
    assert data_bin.transcript_ids(torch.tensor([0, 1, 0])).tolist() == []
