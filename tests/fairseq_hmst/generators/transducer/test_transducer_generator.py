"""Transducer searches on tiny random transducers, against loops over one utterance and the sum over all alignments."""

import itertools
import math

import pytest
import torch
from transducer_stub import (
    BLANK,
    DICTIONARY,
    EOS,
    LABELS,
    NOT_LABELS,
    PADDING,
    StubModel,
    TableModel,
    all_log_probs,
    batch,
    one_by_one,
)

from fairseq_hmst.generators.transducer.transducer_beam import transducer_beam_search
from fairseq_hmst.generators.transducer.transducer_generator import TransducerGenerator
from fairseq_hmst.generators.transducer.transducer_greedy import transducer_greedy
from fairseq_hmst.generators.transducer.transducer_scorer import MAX_LABELS_PER_STEP, LabelLimit, TransducerScorer
from preprocess.errors import NotFiniteError


def token_lists(hypotheses):
    return [[hypothesis["tokens"].tolist() for hypothesis in row] for row in hypotheses]


def score_lists(hypotheses):
    return [[hypothesis["score"].item() for hypothesis in row] for row in hypotheses]


def scorer(models, sample):
    return TransducerScorer(models, sample["net_input"], NOT_LABELS)


@torch.no_grad()
def greedy_loop(model, sample, max_len):
    """Labels and log-probability of one utterance, written as in textbooks: for each step, labels until a blank."""
    model.eval()
    encoder_projected, _ = model.project_encoder(model.encode(**sample["net_input"]))
    predictor_out, state = model.start_prediction(1)
    labels, total = [], 0.0
    for t, step in enumerate(encoder_projected[0]):
        while True:
            log_probs = model.joint_log_probs(step[None], predictor_out)[0]
            log_probs[[PADDING, EOS]] = -math.inf
            if len(labels) == min(max_len, MAX_LABELS_PER_STEP * (t + 1)):
                log_probs[list(LABELS)] = -math.inf
            symbol = int(log_probs.argmax())
            total += log_probs[symbol].item()
            if symbol == BLANK:
                break
            labels.append(symbol)
            predictor_out, state = model.predict(torch.tensor([symbol]), state)
    return labels, total


@pytest.mark.parametrize("predictor", ["lstm", "stateless"])
@pytest.mark.parametrize("seed", range(4))
def test_greedy_equals_a_plain_loop_over_one_utterance(predictor, seed):
    model, sample = StubModel(predictor, seed), batch(7, 1, 4, 12)
    found = transducer_greedy(scorer([model], sample), LabelLimit(max_len_b=20))
    for result, single in zip(found, one_by_one(sample), strict=True):
        labels, log_prob = greedy_loop(model, single, max_len=20)
        assert result.labels == labels
        assert result.log_prob == pytest.approx(log_prob, rel=1e-5)


@pytest.mark.parametrize("seed", range(9))
def test_beam_one_equals_greedy(seed):
    model, sample = StubModel(seed=seed), batch(7, 1, 4, 12)
    limit = LabelLimit(max_len_b=20)
    greedy = transducer_greedy(scorer([model], sample), limit)
    beam = transducer_beam_search(scorer([model], sample), limit, beam_size=1)
    assert [row[0].labels for row in beam] == [result.labels for result in greedy]
    assert [row[0].log_prob for row in beam] == pytest.approx([result.log_prob for result in greedy], rel=1e-9)
    assert any(result.labels for result in greedy)


@pytest.mark.parametrize("predictor", ["lstm", "stateless"])
@pytest.mark.parametrize("num_steps", [1, 2, 4])
def test_a_beam_as_large_as_the_space_finds_every_sequence_with_its_exact_probability(predictor, num_steps):
    """What the search maximises is the sum over all alignments, here of all 40 sequences of up to 3 labels."""
    model, sample = StubModel(predictor, seed=num_steps), batch(num_steps)
    expected = all_log_probs([model], sample, max_len=3)
    (found,) = transducer_beam_search(scorer([model], sample), LabelLimit(max_len_b=3), beam_size=100)
    assert found[0].labels == list(max(expected, key=expected.get))
    assert {tuple(result.labels): result.log_prob for result in found} == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert [result.log_prob for result in found] == sorted((result.log_prob for result in found), reverse=True)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("beam_size", [2, 4])
def test_no_beam_claims_more_than_the_sum_over_all_alignments(seed, beam_size):
    model, sample = StubModel(seed=seed), batch(4)
    exact = all_log_probs([model], sample, max_len=3)
    (found,) = transducer_beam_search(scorer([model], sample), LabelLimit(max_len_b=3), beam_size)
    for result in found:
        assert result.log_prob <= exact[tuple(result.labels)] + 1e-5


@pytest.mark.parametrize("seed", range(8))
def test_a_larger_beam_never_lowers_the_best_score_on_these_toys(seed):
    model, sample = StubModel(seed=seed), batch(5, 3, 2)
    limit = LabelLimit(max_len_b=4)
    searches = [transducer_beam_search(scorer([model], sample), limit, beam_size) for beam_size in (1, 2, 4, 16, 400)]
    for row in range(3):
        scores = [search[row][0].log_prob for search in searches]
        assert all(later >= earlier - 1e-4 for earlier, later in itertools.pairwise(scores)), scores


def test_equal_sequences_are_merged_where_it_decides_the_winner():
    """No alignment is as likely as the empty one (0.385), but the two of label 3 are together: 0.3 + 0.315."""
    certain = {BLANK: 1.0}
    model = TableModel([[{BLANK: 0.7, 3: 0.3}, certain], [{BLANK: 0.55, 3: 0.45}, certain]])
    sample = batch(2)
    (greedy,) = transducer_greedy(scorer([model], sample), LabelLimit())
    assert greedy.labels == []
    (found,) = transducer_beam_search(scorer([model], sample), LabelLimit(), beam_size=2)
    assert [result.labels for result in found] == [[3], []]
    assert [math.exp(result.log_prob) for result in found] == pytest.approx([0.615, 0.385], rel=1e-6)


@pytest.mark.parametrize("predictor", ["lstm", "stateless"])
@pytest.mark.parametrize("beam_size", [1, 2, 5])
def test_a_batch_is_decoded_as_its_utterances_one_by_one(predictor, beam_size):
    model, sample = StubModel(predictor), batch(9, 2, 12, 1, 5, 5)
    generator = TransducerGenerator(DICTIONARY, beam_size)
    together = generator.generate([model], sample)
    alone = [generator.generate([model], single)[0] for single in one_by_one(sample)]
    assert token_lists(together) == token_lists(alone)
    for row, expected in zip(score_lists(together), score_lists(alone), strict=True):
        assert row == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("beam_size", [1, 6])
def test_padding_end_of_sentence_and_symbols_are_no_labels_however_likely(beam_size):
    model, symbol = StubModel(), LABELS[1]
    model.joiner.output.bias.data[[PADDING, EOS, symbol]] += 20.0
    generator = TransducerGenerator(DICTIONARY, beam_size, symbol_ids={symbol})
    for row in generator.generate([model], batch(6, 3)):
        for hypothesis in row:
            *labels, last = hypothesis["tokens"].tolist()
            assert last == EOS
            assert not (NOT_LABELS | {symbol}) & set(labels)
    assert generator.symbols_to_strip_from_output == {EOS, symbol}


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize(("limit", "expected"), [(LabelLimit(), 15), (LabelLimit(0, 7), 7), (LabelLimit(1.5, 2), 6)])
def test_a_model_that_never_says_blank_stops_at_the_limit(beam_size, limit, expected):
    model = StubModel()
    model.joiner.output.bias.data[BLANK] -= 50.0
    (hypotheses,) = TransducerGenerator(DICTIONARY, beam_size, 1.0, limit).generate([model], batch(3))
    assert MAX_LABELS_PER_STEP == 5
    assert len(hypotheses[0]["tokens"]) - 1 == expected


def test_all_labels_may_come_at_the_last_step():
    """A translation may have to wait for the end of its source: 12 labels there, none before."""
    certain, label = {BLANK: 1.0}, {3: 1.0}
    model = TableModel([[certain] * 13, [certain] * 13, [label] * 12 + [certain]])
    for beam_size in (1, 3):
        (hypotheses,) = TransducerGenerator(DICTIONARY, beam_size).generate([model], batch(3))
        assert hypotheses[0]["tokens"].tolist() == [3] * 12 + [EOS]


def test_the_length_penalty_divides_as_fairseqs_does_and_ranks_anew():
    sample = batch(6, 5)
    unpenalised = TransducerGenerator(DICTIONARY, 8, length_penalty=0.0).generate([StubModel(seed=1)], sample)
    penalised = TransducerGenerator(DICTIONARY, 8, length_penalty=1.5).generate([StubModel(seed=1)], sample)
    orders = []
    for before, after in zip(unpenalised, penalised, strict=True):
        expected = {tuple(h["tokens"].tolist()): h["score"].item() / len(h["tokens"]) ** 1.5 for h in before}
        found = {tuple(h["tokens"].tolist()): h["score"].item() for h in after}
        assert found == pytest.approx(expected, rel=1e-6)
        assert list(found.values()) == sorted(found.values(), reverse=True)
        orders.append(list(found) == [tuple(h["tokens"].tolist()) for h in before])
    assert not all(orders)


@pytest.mark.parametrize("beam_size", [1, 4])
def test_an_ensemble_of_one_model_twice_is_that_model(beam_size):
    generator = TransducerGenerator(DICTIONARY, beam_size)
    once = generator.generate([StubModel()], batch(7, 4))
    twice = generator.generate([StubModel(), StubModel()], batch(7, 4))
    assert token_lists(once) == token_lists(twice)
    assert score_lists(once)[0] == pytest.approx(score_lists(twice)[0], rel=1e-5)


def test_an_ensemble_averages_probabilities_symbol_by_symbol():
    models, sample = [StubModel("lstm", 1), StubModel("stateless", 2), StubModel("lstm", 3)], batch(3)
    expected = all_log_probs(models, sample, max_len=3)
    (found,) = transducer_beam_search(scorer(models, sample), LabelLimit(max_len_b=3), beam_size=100)
    assert {tuple(result.labels): result.log_prob for result in found} == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_models_with_other_steps_or_another_blank_are_refused():
    generator = TransducerGenerator(DICTIONARY, 2)
    with pytest.raises(ValueError, match=r"model 1 .* other encoder steps .* \[5, 2\] against \[6, 3\]"):
        generator.generate([StubModel(), StubModel(num_missing_steps=1)], batch(6, 3))
    other = StubModel()
    other.transducer_blank_index = 3
    with pytest.raises(ValueError, match=r"model 1 .* another transducer blank .* 3 against 0"):
        generator.generate([StubModel(), other], batch(6, 3))


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_probabilities_that_are_not_finite_are_an_error(beam_size, value):
    model = StubModel()
    model.joiner.output.bias.data[4] = value
    with pytest.raises(NotFiniteError, match="probabilities are NaN or infinite"):
        TransducerGenerator(DICTIONARY, beam_size).generate([StubModel(), model], batch(3))


@pytest.mark.parametrize("forced", ["constraints", "bos_token"])
def test_forced_target_tokens_are_refused(forced):
    with pytest.raises(ValueError, match="cannot follow forced target tokens"):
        TransducerGenerator(DICTIONARY, 2).generate([StubModel()], batch(2, 2), **{forced: torch.tensor([[4], [5]])})


def test_a_beam_below_one_is_refused():
    with pytest.raises(ValueError, match="beam must be at least 1, got 0"):
        TransducerGenerator(DICTIONARY, 0)
    with pytest.raises(ValueError, match="beam_size must be at least 1, got 0"):
        transducer_beam_search(scorer([StubModel()], batch(2)), LabelLimit(), 0)
