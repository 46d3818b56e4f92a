"""Rules of repetition: their means, against closed forms, and statistics of speech made by known rules."""

import numpy as np
import pytest

from fairseq_hmst.data.variation.repetition import Durations, FixedRule, NormalRule, character_rule

TOKENS = np.random.default_rng(0).integers(0, 50, size=100_000)


@pytest.mark.parametrize("repeat", [2, 4, 6])
def test_the_fixed_rule_has_three_equal_chances(repeat):
    drawn = FixedRule(repeat).draw(TOKENS, np.random.default_rng(1))
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [repeat - 1, repeat, repeat + 1]
    assert counts / len(TOKENS) == pytest.approx(np.full(3, 1 / 3), abs=0.01)


@pytest.mark.parametrize("deviation", [0.3, 1.0, 5.0])
def test_the_normal_rule_keeps_the_mean_and_never_leaves_a_token_out(deviation):
    drawn = NormalRule(4, deviation).draw(TOKENS, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(4, abs=0.02)
    assert drawn.min() >= 1
    assert drawn.max() <= 7
    if deviation == 1.0:  # a rounded normal distribution has a variance of 1/12 more
        assert drawn.var() == pytest.approx(1 + 1 / 12, abs=0.03)


def test_the_rule_of_characters_has_the_lengths_of_speech_and_keeps_the_mean():
    generator = np.random.default_rng(2)
    characters = generator.integers(1, 9, size=50)
    texts = generator.integers(0, 50, size=(400, 20))
    # speech with 1 token a piece, and 2 for each of its characters
    speech = (1 + 2 * characters[texts]).sum(1)
    durations = Durations(speech, np.full(400, 20), characters[texts].sum(1))
    assert durations.by_characters == pytest.approx((1, 2))
    frequencies = np.bincount(TOKENS, minlength=50)
    rule = character_rule(durations, characters, frequencies, repeat=4)
    drawn = rule.draw(TOKENS, generator)
    assert drawn.mean() == pytest.approx(4, abs=0.03)
    assert drawn.min() >= 1
    by_token = np.array([drawn[token == TOKENS].mean() for token in range(50)])
    long = characters > 3  # none of these is cut off at 1
    ratio = by_token[long] / (1 + 2 * characters[long])
    assert ratio == pytest.approx(np.full(len(ratio), ratio.mean()), rel=0.03)


def test_a_part_that_speech_does_not_have_is_nought():
    generator = np.random.default_rng(3)
    text, characters = generator.integers(5, 30, size=300), generator.integers(20, 90, size=300)
    assert Durations(3 * characters - 2 * text, text, characters).by_characters[0] == 0
    token, character = Durations(9 * text - characters // 9, text, characters).by_characters
    assert character == 0
    assert token == pytest.approx(9, abs=1)


def test_the_deviation_is_that_of_independent_tokens():
    generator = np.random.default_rng(4)
    text = generator.integers(5, 60, size=5000)
    speech = np.array([generator.normal(3, 0.9, size=size).sum() for size in text])
    assert Durations(speech, text, text).deviation == pytest.approx(0.3, rel=0.05)
