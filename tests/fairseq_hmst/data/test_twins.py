"""Text twins against the text stream that `preprocess binarize` wrote, and the batches that hold them."""

import numpy as np
import pytest
import torch
from token_rows import rows_of
from toy import make_toy_data_bin, task_with_twins

from fairseq_hmst.data.data_bin import DataBinError
from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.data.stream_rows import StreamRows
from fairseq_hmst.data.streams import MixedStreams
from fairseq_hmst.data.twins import RepeatedText, TextTwins

EOS = 2


def check_twins_are_the_text_stream(data_bin):
    task = task_with_twins(data_bin)
    speech, text = task.dataset("train").streams
    twins = [speech.twins[row] for row in range(len(speech.twins))]
    assert [twin is None for twin in twins] == [row % 7 == 3 for row in range(300)]  # rows without a transcript
    found = [(row, twin) for row, twin in enumerate(twins) if twin is not None]
    assert len(found) == len(text.sources)
    for number, ((row, twin), source, target) in enumerate(zip(found, text.sources, text.targets, strict=True)):
        assert torch.equal(twin, source)
        assert torch.equal(text.transcripts[number], speech.transcripts[row])
        assert torch.equal(speech.targets[row], target)
        assert speech.twins.sizes[row] == len(source)


def test_twins_are_the_text_stream_token_for_token_without_symbols(toy_data_bin):
    check_twins_are_the_text_stream(toy_data_bin)


def test_twins_are_the_text_stream_token_for_token_with_symbols_and_text_models(language_data_bin):
    check_twins_are_the_text_stream(language_data_bin)


def test_twins_are_repeated_as_often_as_the_text_stream(tmp_path):
    check_twins_are_the_text_stream(make_toy_data_bin(tmp_path, repeat=3))


@pytest.mark.parametrize(
    ("source_form", "source", "twin"),
    [
        (None, [4, 5, EOS], [7, 7, 8, 8, EOS]),
        ("target_first", [13, 4, EOS], [13, 7, 7, 8, 8, EOS]),
        ("source_first", [12, 4, EOS], [12, 7, 7, 8, 8, EOS]),
        ("source_last", [4, EOS, 12], [7, 7, 8, 8, EOS, 12]),
    ],
)
def test_a_twin_has_the_symbol_of_its_example_in_its_place(source_form, source, twin):
    twins = TextTwins(
        RepeatedText(rows_of(source, source), rows_of([7, 8, EOS], [EOS]), 2, LanguageSymbolIds(EOS, source_form))
    )
    assert twins[0].tolist() == twin
    assert twins[1] is None
    assert twins.sizes.tolist() == [len(twin), 0]


@pytest.fixture
def dataset():
    """Speech of 6 examples, of which the fourth has no transcript and the last a twin longer than itself, and text."""
    symbols = LanguageSymbolIds(EOS)
    sources = rows_of(*([4 + length] * length + [EOS] for length in (6, 3, 7, 2, 5, 1)))
    targets = rows_of(*([9] * length + [EOS] for length in (2, 6, 1, 2, 3, 2)))
    transcripts = rows_of([5, EOS], [6, 6, EOS], [5, 7, EOS], [EOS], [8, EOS], [7, 7, 8, EOS])
    twins = TextTwins(RepeatedText(sources, transcripts, 2, symbols))
    streams = [
        StreamRows("st", sources, targets, transcripts, twins=twins),
        StreamRows("mt", rows_of([5, EOS]), rows_of([9])),
    ]
    return MixedStreams(streams, symbols)


def test_an_example_counts_two_rows_of_the_longer_of_both_and_of_the_target(dataset):
    assert [dataset.num_tokens(i) for i in range(7)] == [14, 14, 16, 3, 12, 14, 2]
    assert dataset.num_tokens_vec(np.arange(7)).tolist() == [14, 14, 16, 3, 12, 14, 2]
    assert [dataset.size(i) for i in range(7)] == [(7, 3), (5, 7), (8, 2), (3, 3), (6, 4), (7, 3), (2, 1)]
    assert dataset.source_sizes[dataset.ordered_indices()].tolist() == [2, 3, 5, 6, 7, 7, 8]


def test_an_example_whose_twin_is_too_long_is_filtered(dataset):
    kept, ignored = dataset.filter_indices_by_size(np.arange(7), (6, 10))
    assert kept.tolist() == [1, 3, 4, 6]
    assert sorted(ignored) == [0, 2, 5]


def test_a_batch_holds_both_and_says_where_each_ones_twin_is(dataset):
    batch = dataset.collater([dataset[i] for i in (5, 3, 1, 6)])
    sources = [row[row != 1].tolist() for row in batch["net_input"]["src_tokens"]]
    assert sources == [[7, 7, 7, 7, 8, 8, EOS], [6, 6, 6, 6, EOS], [7, 7, 7, EOS], [6, 6, EOS], [5, EOS], [5, EOS]]
    assert batch["net_input"]["src_lengths"].tolist() == [7, 5, 4, 3, 2, 2]
    assert batch["id"].tolist() == [5, 1, 1, 3, 5, 6]
    assert batch["stream"].tolist() == [1, 1, 0, 0, 0, 1]
    assert batch["twin"].tolist() == [-1, -1, 1, -1, 0, -1]
    assert batch["label_lengths"].tolist() == [2, 6, 6, 2, 2, 0]
    assert batch["transcript_lengths"].tolist() == [3, 2, 2, -1, 3, -1]
    assert (batch["nsentences"], batch["ntokens"]) == (6, 3 + 7 + 7 + 3 + 3 + 1)
    for row, twin in enumerate(batch["twin"].tolist()):
        if twin >= 0:
            assert torch.equal(batch["target"][row], batch["target"][twin])
            assert torch.equal(
                batch["net_input"]["prev_output_tokens"][row], batch["net_input"]["prev_output_tokens"][twin]
            )


@pytest.mark.parametrize("multiple", [1, 8])
@pytest.mark.parametrize("streams", ["st", "st,mt"])
def test_an_epoch_has_every_example_once_and_no_batch_is_padded_beyond_max_tokens(toy_data_bin, streams, multiple):
    dataset = task_with_twins(toy_data_bin, streams=streams).dataset("train")
    batches = dataset.batch_by_size(dataset.ordered_indices(), max_tokens=400, required_batch_size_multiple=multiple)
    ids, num_padded = [], []
    for indices in batches:
        batch = dataset.collater([dataset[i] for i in indices])
        has_twin = batch["twin"] >= 0
        assert (batch["stream"][has_twin] == 0).all()
        assert (batch["stream"][batch["twin"][has_twin]] == 1).all()
        assert torch.equal(batch["id"][has_twin], batch["id"][batch["twin"][has_twin]])
        assert torch.equal(batch["target"][has_twin], batch["target"][batch["twin"][has_twin]])
        has_transcript = (batch["transcript_lengths"] >= 0) & (batch["stream"] == 0)
        assert torch.equal(has_twin, has_transcript)
        rows, length = len(batch["id"]), max(batch["net_input"]["src_tokens"].size(1), batch["target"].size(1))
        num_padded.append(rows * length)
        twins = set(batch["twin"].tolist())
        ids += [number for row, number in enumerate(batch["id"].tolist()) if row not in twins]
    assert sorted(ids) == list(range(len(dataset)))
    assert 350 < max(num_padded) <= 400


def test_without_twins_a_batch_has_none_and_fairseq_makes_it(toy_task):
    dataset = toy_task.dataset("train")
    batch = dataset.collater([dataset[i] for i in range(4)])
    assert batch["twin"].tolist() == [-1] * 4
    assert dataset.num_tokens_vec(np.arange(20)).tolist() == dataset.sizes[:20].tolist()


def test_twins_of_other_examples_are_refused():
    twins = TextTwins(RepeatedText(rows_of([4, EOS]), rows_of([5, EOS]), 2, LanguageSymbolIds(EOS)))
    with pytest.raises(DataBinError, match="stream st: 2 sources but 1 twins"):
        StreamRows("st", rows_of([4, EOS], [4, EOS]), twins=twins)
