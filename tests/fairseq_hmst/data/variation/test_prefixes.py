"""Cuts of hand-made alignments, and the rows of an epoch in each form of language symbols."""

from collections import Counter

import numpy as np
import pytest
import torch
from token_rows import Rows

from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.data.stream_rows import StreamRows
from fairseq_hmst.data.streams import MixedStreams
from fairseq_hmst.data.variation.draws import Draws
from fairseq_hmst.data.variation.prefixes import WHOLE, Cuts, Prefixes, possible_cuts
from fairseq_hmst.data.variation.row_steps import steps_of_prefixes
from fairseq_hmst.losses.ctc_loss import ctc_feasible

NO_TRANSCRIPT = np.zeros(0, dtype=int)
EOS = 2
FORMS = {
    "none": LanguageSymbolIds(EOS),
    "source_first": LanguageSymbolIds(EOS, "source_first", "first_input"),
    "source_last": LanguageSymbolIds(EOS, "source_last", "first_input"),
    "target_first": LanguageSymbolIds(EOS, "target_first", "first_output"),
}


def looks_at(places, num_tokens):
    """An alignment whose labels look mostly at these tokens, and a little at all others."""
    weights = np.full((len(places), num_tokens), 0.1)
    weights[np.arange(len(places)), places] = 0.5
    return weights


def cuts_of(places, num_tokens, labels=None, transcript=(), num_symbols=1):
    labels = np.arange(len(places)) if labels is None else np.array(labels)
    spoken = np.arange(len(transcript))
    found = possible_cuts(
        looks_at(places, num_tokens), labels, looks_at(list(transcript), num_tokens), spoken, num_symbols
    )
    return [tuple(place) for place in found.tolist()]


def test_a_cut_parts_the_labels_that_look_before_it_from_those_that_look_behind_it():
    assert cuts_of([1, 3, 4], 6) == [(2, 1, 0), (3, 1, 0), (4, 2, 0)]


def test_a_label_that_looks_back_goes_with_the_one_before_it():
    assert cuts_of([0, 3, 1, 4], 6) == [(1, 1, 0), (2, 1, 0), (3, 1, 0), (4, 3, 0)]


@pytest.mark.parametrize("places", [[4, 0, 1], [2, 2, 2], [3], []])
def test_where_all_labels_belong_together_there_is_no_cut(places):
    assert cuts_of(places, 5) == []


def test_cuts_are_those_that_the_definition_has_in_random_alignments():
    generator = np.random.default_rng(1)
    for _ in range(50):
        num_tokens, places = int(generator.integers(1, 9)), []
        places = generator.integers(num_tokens, size=generator.integers(0, 7)).tolist()
        expected = []
        for kept in range(1, num_tokens):
            for labels in range(1, len(places)):
                highest = [max(places[: number + 1]) for number in range(len(places))]
                if all(p < kept for p in highest[:labels]) and all(p >= kept for p in highest[labels:]):
                    expected.append((kept, labels, 0))
        assert cuts_of(places, num_tokens, num_symbols=99) == expected


def test_the_transcript_ends_where_the_source_does():
    assert cuts_of([0, 4], 6, transcript=[2, 3, 5]) == [(1, 1, 0), (2, 1, 0), (3, 1, 1), (4, 1, 2)]


def test_cuts_without_a_path_of_ctc_are_left_out():
    # two equal labels need three steps, of which eos is one
    assert cuts_of([0, 0, 4], 5, labels=[7, 7, 8]) == [(2, 2, 0), (3, 2, 0), (4, 2, 0)]
    assert cuts_of([0, 0, 4], 5, labels=[7, 7, 8], num_symbols=2)[0] == (1, 2, 0)
    assert cuts_of([0, 4], 5, transcript=[0, 0, 0]) == [(2, 1, 3), (3, 1, 3), (4, 1, 3)]


def test_steps_of_prefixes_are_those_that_the_loss_wants():
    generator = np.random.default_rng(1)
    for length in (0, 1, 2, 5, 9):
        labels = generator.integers(2, size=length)
        for first, steps in enumerate(steps_of_prefixes(labels)):
            given = torch.from_numpy(labels)[None], torch.tensor([steps]), torch.tensor([first])
            assert ctc_feasible(*given)
            assert not ctc_feasible(given[0], given[1] - 1, given[2])


def some_cuts(num_rows):
    """Rows without a cut, and rows with up to three."""
    return Cuts.of_rows(
        [np.array([(k, k, 0) for k in range(1, row % 4 + 1)]).reshape(-1, 3) for row in range(num_rows)]
    )


@pytest.mark.parametrize(("share", "drawn"), [(0.0, 0), (0.25, 100), (0.999, 400)])
def test_the_share_of_rows_is_drawn_and_cuts_of_each_are_equally_likely(share, drawn):
    cuts = some_cuts(400)
    counts, found = Counter(), Counter()
    for seed in range(200):
        places = cuts.draw(np.random.default_rng(seed), share)
        is_cut = places[:, 0] != WHOLE
        assert not is_cut[::4].any()
        found["rows"] += is_cut.sum()
        counts.update(places[3::4, 0][is_cut[3::4]].tolist())
    assert found["rows"] / 200 == pytest.approx(0.75 * drawn, rel=0.02)
    assert all(counts[k] == pytest.approx(sum(counts.values()) / 3, rel=0.05) for k in (1, 2, 3) if drawn)


def stream_of(symbols, num_rows=8):
    before, after = symbols.source_edges
    name = [50] * symbols.num_source_symbols
    sources = [[*name[:before], 10, 11, 12, 13, 14, EOS, *name[: after - 1]] for _ in range(num_rows)]
    targets = [[*[60] * symbols.num_target_symbols, 20, 21, 22, EOS] for _ in range(num_rows)]
    transcripts = [[30, 31, 32, EOS]] * num_rows
    return StreamRows("st", *(Rows(torch.tensor(row) for row in rows) for rows in (sources, targets, transcripts)))


@pytest.mark.parametrize("form", FORMS)
def test_a_prefix_keeps_language_symbols_and_eos(form):
    symbols = FORMS[form]
    stream = stream_of(symbols, 1)
    cuts = Cuts.of_rows([np.array([(2, 1, 1)])])
    found = Prefixes(cuts, 0.999, symbols).of_epoch(stream, Draws(seed=1, epoch=1))
    source, target = stream.sources[0].tolist(), stream.targets[0].tolist()
    assert found.sources[0].tolist() == [token for token in source if token not in (12, 13, 14)]
    assert found.targets[0].tolist() == [token for token in target if token not in (21, 22)]
    assert found.transcripts[0].tolist() == [30, EOS]
    for kind in ("sources", "targets", "transcripts"):
        rows = getattr(found, kind)
        assert rows.sizes.tolist() == [len(rows[0])]


def mixed(stream, **options):
    return MixedStreams([stream], LanguageSymbolIds(EOS), **options)


def rows_of(dataset, epoch):
    dataset.set_epoch(epoch)
    return [[dataset[i][kind].tolist() for kind in ("source", "target", "transcript")] for i in range(len(dataset))]


def test_prefixes_depend_on_seed_and_epoch_alone_and_sizes_follow_them():
    def dataset(seed=1):
        stream = stream_of(FORMS["none"], 40)
        stream.variations = (Prefixes(some_cuts(40), 0.5, FORMS["none"]),)
        return mixed(stream, seed=seed)

    first = dataset()
    epochs = {epoch: rows_of(first, epoch) for epoch in (1, 2, 3)}
    assert rows_of(dataset(), 2) == rows_of(first, 2) == epochs[2]
    assert epochs[1] != epochs[2] != epochs[3]
    assert rows_of(dataset(seed=2), 2) != epochs[2]
    for epoch, rows in epochs.items():
        first.set_epoch(epoch)
        assert [first.size(i) for i in range(40)] == [(len(source), len(target)) for source, target, _ in rows]
        order = first.ordered_indices()
        assert (np.diff(first.source_sizes[order]) >= 0).all()
    assert len(first.streams[0].sources[1]) == 6  # what is drawn from stays whole


def test_other_draws_of_the_epoch_are_the_same_with_and_without_prefixes():
    whole, cut = stream_of(FORMS["none"], 40), stream_of(FORMS["none"], 40)
    cut.variations = (Prefixes(Cuts.of_rows([np.zeros((0, 3), int)] * 40), 0.5, FORMS["none"]),)
    datasets = [mixed(stream, passes={"st": 0.5}) for stream in (whole, cut)]
    for epoch in (1, 2):
        assert rows_of(datasets[0], epoch) == rows_of(datasets[1], epoch)
        assert datasets[0].rows.tolist() == datasets[1].rows.tolist()
        assert datasets[0].ordered_indices().tolist() == datasets[1].ordered_indices().tolist()
