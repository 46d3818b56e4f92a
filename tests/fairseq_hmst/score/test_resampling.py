"""Intervals and tests over sentences and over trainings, by enumeration, closed forms and sacreBLEU's own draws."""

import itertools
import random

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest, _bootstrap_resample

from fairseq_hmst.score.resampling import SentenceCounts, bootstrap_scores, interval_of, randomization_p_value
from fairseq_hmst.score.trainings import Spread, compare_trainings

METRICS = pytest.mark.parametrize("metric", [BLEU(), CHRF()], ids=["bleu", "chrf"])


def texts(sentences, seed=0):
    """References, and outputs of two systems."""
    generator = random.Random(seed)
    words = [f"word{number}" for number in range(30)]
    references = [generator.choices(words, k=generator.randint(5, 9)) for _ in range(sentences)]

    def spoiled(line):
        return " ".join(generator.choice(words) if generator.random() < 0.3 else word for word in line)

    one, other = ([spoiled(line) for line in references] for _ in range(2))
    return [" ".join(line) for line in references], one, other


@METRICS
def test_p_is_the_share_of_all_exchanges_with_a_difference_as_large(metric):
    references, one, other = texts(6)
    other[0] = one[0]  # a sentence without a difference: each exchange comes twice

    def difference(first, second):
        return abs(metric.corpus_score(first, [references]).score - metric.corpus_score(second, [references]).score)

    observed = difference(one, other)
    differences = []
    for kept in itertools.product([True, False], repeat=6):
        first = [a if keep else b for a, b, keep in zip(one, other, kept, strict=True)]
        second = [b if keep else a for a, b, keep in zip(one, other, kept, strict=True)]
        differences.append(difference(first, second))
    expected = sum(found > observed - 1e-9 for found in differences) / len(differences)
    own, first = (SentenceCounts.of(metric, system, references) for system in (one, other))
    assert randomization_p_value(own, first, 20000, 1) == pytest.approx(expected, abs=0.015)  # 4 standard errors
    assert randomization_p_value(first, own, 2000, 1) == pytest.approx(expected, abs=0.045)


def test_outputs_that_differ_in_one_sentence_do_not_differ_significantly(monkeypatch):
    references, one, other = texts(50)
    other[1:] = one[1:]
    own, first = (SentenceCounts.of(BLEU(), system, references) for system in (one, other))
    assert own.score != first.score
    assert randomization_p_value(own, first, 200, 1) == 1
    _, results = PairedTest([("a", one), ("b", other)], {"BLEU": BLEU()}, [references], "ar", 200)()
    assert results["BLEU"][1].p_value == 1 / 201  # sacreBLEU's own, hence ours


@METRICS
def test_test_sets_are_drawn_as_by_sacrebleu(metric, monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "7")
    references, one, _ = texts(33)
    system = SentenceCounts.of(metric, one, references)
    _, expected = _bootstrap_resample(metric._extract_corpus_statistics(one, [references]), metric, 50)
    assert bootstrap_scores(system, 50, 7).tolist() == pytest.approx([score.score for score in expected])
    assert system.score == pytest.approx(metric.corpus_score(one, [references]).score)


def test_an_interval_leaves_as_many_below_as_above():
    assert interval_of(np.arange(1001.0)[::-1]) == pytest.approx((25, 975))


def test_trainings_are_compared_by_students_t():
    found = compare_trainings([11, 13, 15], [10, 11, 12])
    t = 2 / (1 / 3**0.5)
    assert (found.mean, found.deviation, found.difference) == (13, 2, 2)
    assert found.p_value == pytest.approx(1 - t / (2 + t**2) ** 0.5)  # of Student's t with two degrees of freedom
    assert found.difference_interval == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert compare_trainings([3.0, 5.0]) == Spread(4, 2**0.5)


def test_the_same_trainings_twice_do_not_differ():
    assert compare_trainings([3.0, 5.0], [3.0, 5.0]) == Spread(4, 2**0.5, 0, (0, 0), 1)
