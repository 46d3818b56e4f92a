from collections import Counter

import numpy as np
import pytest
import torch
from token_rows import Rows

from fairseq_hmst.data.data_bin import DataBinError
from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.data.stream_rows import StreamRows
from fairseq_hmst.data.streams import MixedStreams

EOS = 2


def make_stream(name, lengths, transcripts=None):
    sources = Rows(torch.tensor([4 + number % 8] * length + [2]) for number, length in enumerate(lengths))
    targets = Rows(torch.tensor([5] * (length // 2) + [2]) for length in lengths)
    return StreamRows(name, sources, targets, transcripts)


def mixed(streams, **options):
    return MixedStreams(streams, LanguageSymbolIds(EOS), **options)


def test_one_pass_holds_every_example_of_both_streams_once():
    dataset = mixed([make_stream("st", [3, 5, 2]), make_stream("mt", [4, 1])])
    examples = [dataset[i] for i in range(len(dataset))]
    assert [example["id"] for example in examples] == [0, 1, 2, 3, 4]
    assert [example["stream"] for example in examples] == [0, 0, 0, 1, 1]
    assert [len(example["source"]) for example in examples] == [4, 6, 3, 5, 2]


@pytest.mark.parametrize(("passes", "expected"), [(0, 0), (0.3, 30), (1, 100), (2.5, 250)])
def test_passes_set_the_share_of_the_text_stream(passes, expected):
    streams = [make_stream("st", [2] * 10), make_stream("mt", [2] * 100)]
    dataset = mixed(streams, passes={"mt": passes})
    counts = Counter(dataset[i]["stream"] for i in range(len(dataset)))
    assert (counts[0], counts[1]) == (10, expected)


def test_a_fractional_pass_draws_anew_each_epoch_and_repeats_for_the_same_seed():
    def rows(epoch, seed=1):
        streams = [make_stream("st", [2] * 10), make_stream("mt", [2] * 100)]
        dataset = mixed(streams, passes={"mt": 0.5}, seed=seed)
        dataset.set_epoch(epoch)
        return dataset.rows.tolist()

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)
    assert rows(1) != rows(1, seed=2)
    assert len(set(rows(1))) == 60


def test_variations_learn_which_rows_an_epoch_uses():
    used = []

    class Spy:
        def of_epoch(self, stream, draws):
            used.append((draws.epoch, stream.used.tolist()))
            return stream

    stream = make_stream("mt", [3, 4, 5, 6])
    stream.variations = [Spy()]
    dataset = mixed([make_stream("st", [2, 2]), stream], passes={"mt": 0.5})
    rows = [sorted(dataset.rows[dataset.rows >= 2] - 2)]
    dataset.set_epoch(2)
    rows.append(sorted(dataset.rows[dataset.rows >= 2] - 2))
    assert used == [(1, rows[0]), (2, rows[1])]
    mixed([stream], passes={"mt": 2.5})
    assert used[-1] == (1, [0, 1, 2, 3])


def test_negative_passes_are_refused():
    with pytest.raises(ValueError, match="passes must be 0 or more"):
        mixed([make_stream("mt", [2])], passes={"mt": -1})


def test_batches_hold_every_example_whatever_the_size_multiple():
    dataset = mixed([make_stream("st", [3] * 21)])
    for multiple in (1, 8):
        batches = dataset.batch_by_size(dataset.ordered_indices(), max_tokens=40, required_batch_size_multiple=multiple)
        assert sorted(np.concatenate(batches).tolist()) == list(range(21))


def test_sources_are_padded_on_the_right_and_sorted_by_falling_length():
    dataset = mixed([make_stream("st", [1, 3])])
    batch = dataset.collater([dataset[0], dataset[1]])
    assert batch["id"].tolist() == [1, 0]
    assert batch["net_input"]["src_tokens"].tolist() == [[5, 5, 5, 2], [4, 2, 1, 1]]
    assert batch["net_input"]["src_lengths"].tolist() == [4, 2]
    assert batch["net_input"]["prev_output_tokens"].tolist() == [[2, 5], [2, 1]]
    assert batch["target"].tolist() == [[5, 2], [2, 1]]
    assert (batch["labels"].tolist(), batch["label_lengths"].tolist()) == ([[5], [1]], [1, 0])
    assert batch["ntokens"] == 3


def test_transcripts_lose_their_eos_and_unknown_ones_have_length_minus_one():
    transcripts = Rows([torch.tensor([7, 8, 2]), torch.tensor([2])])
    dataset = mixed([make_stream("st", [4, 3], transcripts), make_stream("mt", [2])])
    batch = dataset.collater([dataset[i] for i in range(3)])
    assert batch["transcript"].tolist() == [[7, 8], [1, 1], [1, 1]]
    assert batch["transcript_lengths"].tolist() == [2, -1, -1]
    assert batch["stream"].tolist() == [0, 0, 1]


def test_streams_of_unequal_length_are_refused():
    with pytest.raises(DataBinError, match="stream st: 2 sources but 1 targets"):
        StreamRows("st", Rows([torch.tensor([2])] * 2), Rows([torch.tensor([2])]))


def test_order_is_by_length_and_ties_depend_on_seed_and_epoch_alone():
    streams = [make_stream("st", [3, 1, 3, 2, 3, 3, 3])]
    datasets = [mixed(streams, seed=seed) for seed in range(3)]
    orders = {}
    for epoch in (1, 2, 3, 2, 1):
        for seed, dataset in enumerate(datasets):
            np.random.seed(epoch)  # noqa: NPY002  (as fairseq does)
            dataset.set_epoch(epoch)
            order = dataset.ordered_indices()
            assert dataset.source_sizes[order].tolist() == sorted(dataset.source_sizes.tolist())
            assert orders.setdefault((seed, epoch), order.tolist()) == order.tolist()
    assert len({tuple(order) for order in orders.values()}) > len(datasets)
    assert orders[0, 2] != orders[1, 1]  # their sum is not what counts


def test_only_what_is_not_shuffled_has_the_same_batches_in_all_epochs():
    for shuffle in (True, False):
        dataset = mixed([make_stream("st", [3] * 9)], shuffle=shuffle)
        orders = set()
        for epoch in (1, 2, 3):
            dataset.set_epoch(epoch)
            orders.add(tuple(dataset.ordered_indices().tolist()))
        assert dataset.can_reuse_epoch_itr_across_epochs == (len(orders) == 1) == (not shuffle)
