"""Transducer searches from given beginnings, against the sum over all alignments of every label sequence."""

import itertools
import math

import pytest
import torch
from transducer_stub import (
    BLANK,
    DICTIONARY,
    LABELS,
    NOT_LABELS,
    StubModel,
    TableModel,
    all_log_probs,
    batch,
    one_by_one,
)

from fairseq_hmst.generators.beginnings import Beginning, Beginnings
from fairseq_hmst.generators.transducer import transducer_lattice
from fairseq_hmst.generators.transducer.transducer_beam import transducer_beam_search
from fairseq_hmst.generators.transducer.transducer_generator import TransducerGenerator
from fairseq_hmst.generators.transducer.transducer_scorer import LabelLimit, TransducerScorer

LONGEST = 3
ALL_BEGINNINGS = [list(labels) for length in range(3) for labels in itertools.product(LABELS, repeat=length)]


def beginnings_of(rows, is_whole=False):
    return Beginnings([Beginning(row, is_whole) for row in rows], torch.device("cpu"))


@torch.no_grad()
def search(model, sample, beginnings, beam_size, limit=LabelLimit(max_len_b=LONGEST)):
    scorer = TransducerScorer([model], sample["net_input"], NOT_LABELS)
    return transducer_beam_search(scorer, limit, beam_size, beginnings)


@pytest.mark.parametrize("predictor", ["lstm", "stateless"])
def test_a_beam_that_holds_everything_finds_all_that_begins_so_with_its_exact_probability(predictor):
    """All 13 beginnings of up to two labels in one batch, of utterances of several lengths."""
    model, sample = StubModel(predictor), batch(*(1 + row % 4 for row in range(len(ALL_BEGINNINGS))))
    results = search(model, sample, beginnings_of(ALL_BEGINNINGS), 60)
    for found, single, beginning in zip(results, one_by_one(sample), ALL_BEGINNINGS, strict=True):
        space = all_log_probs([model], single, LONGEST)
        expected = {labels: p for labels, p in space.items() if list(labels[: len(beginning)]) == beginning}
        assert {tuple(result.labels): result.log_prob for result in found} == pytest.approx(expected, rel=1e-5)
        assert found[0].labels == list(max(expected, key=expected.get))
        scores = [result.log_prob for result in found]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("beam_size", [1, 2, 4])
def test_no_beam_claims_more_than_the_sum_over_all_alignments_nor_loses_the_beginning(beam_size):
    for seed, beginning in enumerate(ALL_BEGINNINGS[1:]):
        model, sample = StubModel(seed=seed), batch(4)
        exact = all_log_probs([model], sample, LONGEST)
        (found,) = search(model, sample, beginnings_of([beginning]), beam_size)
        assert 1 <= len(found) <= beam_size
        assert found[0].log_prob >= exact[tuple(beginning)] - 1e-4
        for result in found:
            assert result.labels[: len(beginning)] == beginning
            assert result.log_prob <= exact[tuple(result.labels)] + 1e-4


@pytest.mark.parametrize("beam_size", [1, 3])
def test_nothing_follows_a_whole_beginning_whose_probability_is_exact(beam_size, monkeypatch):
    monkeypatch.setattr(transducer_lattice, "MAX_STEPS", 8)  # two utterances a part
    model, sample = StubModel(), batch(*[4, 2, 3] * 4, 1)
    results = search(model, sample, beginnings_of(ALL_BEGINNINGS, is_whole=True), beam_size)
    for found, single, beginning in zip(results, one_by_one(sample), ALL_BEGINNINGS, strict=True):
        exact = all_log_probs([model], single, 2)[tuple(beginning)]
        assert [result.labels for result in found] == [beginning]
        assert found[0].log_prob == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("beam_size", [1, 2])
def test_alignments_that_come_late_to_the_end_of_the_beginning_count(beam_size):
    """Label 3 may come at the first step or at the last alone, where nothing can be left of the beam but it."""
    blank, late = {BLANK: 1.0}, {BLANK: 0.5, 3: 0.5}
    for first, expected in (({BLANK: 0.5, 3: 0.5}, 0.75), (blank, 0.5)):
        model = TableModel([[first, blank], [blank, blank], [late, blank]])
        assert search(model, batch(3), beginnings_of([[3]]), beam_size) == [[([3], pytest.approx(math.log(expected)))]]


def test_improbable_beginnings_are_kept_and_impossible_ones_come_back_alone():
    def table(p):
        first, second = {BLANK: 1 - p, 4: p}, {BLANK: 0.25, 3: 0.75}
        return TableModel([[first, {BLANK: 1.0}, {BLANK: 1.0}], [first, second, {BLANK: 1.0}]])

    for beam_size in (1, 2):
        found = search(table(1e-30), batch(2), beginnings_of([[4]]), beam_size)[0]
        assert found[0].labels == [4, 3]
        assert found[0].log_prob == pytest.approx(math.log(2 * 0.75e-30), rel=1e-5)
        assert search(table(0.0), batch(2), beginnings_of([[4]]), beam_size) == [[([4], -math.inf)]]


@pytest.mark.parametrize("limit", [LabelLimit(max_len_b=2), LabelLimit(max_len_b=100)])
def test_a_beginning_beyond_the_limit_of_labels_is_kept_with_all_its_alignments(limit):
    """Of one encoder step no more than five labels are searched."""
    model, sample, beginning = StubModel(), batch(1), [3, 4, 5, 3, 4, 5, 3]
    model.joiner.output.bias.data[BLANK] -= 5.0
    for beam_size in (1, 3):
        whole = search(model, sample, beginnings_of([beginning], is_whole=True), beam_size, limit)
        assert search(model, sample, beginnings_of([beginning]), beam_size, limit) == whole
        assert whole[0][0].labels == beginning
        assert whole[0][0].log_prob > -math.inf


@pytest.mark.parametrize("beam_size", [1, 2, 5])
def test_rows_of_a_batch_are_searched_as_alone(beam_size):
    model, sample = StubModel(), batch(9, 2, 12, 1, 5)
    rows = [[3, 3, 4, 5], [], [5], [4, 4], []]
    prefix = torch.tensor([row + [1] * (4 - len(row)) for row in rows])
    generator = TransducerGenerator(DICTIONARY, beam_size)
    together = generator.generate([model], sample, prefix)
    for found, single, row in zip(together, one_by_one(sample), prefix, strict=True):
        (expected,) = generator.generate([model], single, row[None])
        assert [h["tokens"].tolist() for h in found] == [h["tokens"].tolist() for h in expected]
        assert [float(h["score"]) for h in found] == pytest.approx([float(h["score"]) for h in expected], rel=1e-4)
