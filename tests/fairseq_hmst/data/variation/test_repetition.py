"""Rules of repetition: their means, against closed forms, and statistics of speech made by known rules."""

import numpy as np
import pytest
from token_rows import rows_of

from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.data.stream_rows import StreamRows
from fairseq_hmst.data.twins import RepeatedText, TextTwins
from fairseq_hmst.data.variation.draws import Draws
from fairseq_hmst.data.variation.repetition import Durations, FixedRule, NormalRule, Repetitions, character_rule

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
    assert Durations(speech, text, text).coefficient_of_variation == pytest.approx(0.3, rel=0.05)


class Given:
    """A rule that always draws the same."""

    def __init__(self, *counts):
        self.counts = np.array(counts)

    def draw(self, tokens, generator):
        return self.counts


def lists(rows):
    return [rows[row].tolist() for row in range(len(rows))]


@pytest.mark.parametrize("is_twin", [False, True])
def test_a_row_is_repeated_evenly_where_it_would_be_too_long_or_ctc_had_no_path(is_twin):
    texts, targets = rows_of([30, 31, 2], [32, 2]), rows_of([5, 5, 6, 2], [7, 2])  # the first needs 4 steps, eos is one
    repeated = RepeatedText(texts, texts, 2, LanguageSymbolIds(2))
    stream = StreamRows("mt", repeated, targets, texts)
    if is_twin:
        stream = StreamRows("st", texts, targets, texts, twins=TextTwins(repeated))
    even = [[30, 30, 31, 31, 2], [32, 32, 2]]
    for counts, expected in {
        (1, 2, 3): [[30, 31, 31, 2], [32, 32, 32, 2]],
        (1, 1, 1): [even[0], [32, 2]],
        (3, 2, 4): [even[0], [32, 32, 32, 32, 2]],
        (3, 1, 5): [[30, 30, 30, 31, 2], even[1]],
    }.items():
        found = Repetitions(Given(*counts), LanguageSymbolIds(2)).of_epoch(stream, Draws(1, 1))
        assert lists(found.twins if is_twin else found.sources) == expected
        assert lists(found.transcripts) == lists(texts)


def test_a_row_that_no_training_takes_is_no_measure_of_others():
    texts = rows_of([30, 31, 2], [32, 2])
    repeated = RepeatedText(texts, texts, 2, LanguageSymbolIds(2))
    for max_length, expected in ((5, [32, 32, 32, 32, 2]), (4, [32, 32, 2])):
        stream = StreamRows("mt", repeated, rows_of([5, 2], [7, 2]), texts, max_lengths=(max_length, 9))
        found = Repetitions(Given(2, 2, 4), LanguageSymbolIds(2)).of_epoch(stream, Draws(1, 1))
        assert found.sources[1].tolist() == expected


def test_both_views_have_repetitions_of_their_own():
    texts = rows_of([30] * 60 + [2], [30] * 90 + [2])
    stream = StreamRows("mt", RepeatedText(texts, texts, 4, LanguageSymbolIds(2)), None, texts)
    epochs = [(epoch, view) for epoch in (1, 2) for view in (0, 1)]
    jitter = Repetitions(FixedRule(4), LanguageSymbolIds(2))
    found = [jitter.of_epoch(stream, Draws(1, *each)).sources.counts_of(0) for each in epochs]
    assert len({tuple(counts.tolist()) for counts in found}) == 4
