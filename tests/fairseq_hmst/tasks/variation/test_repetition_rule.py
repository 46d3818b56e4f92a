"""Rules of repetition that are made of the data's own lengths."""

import numpy as np
import pytest
from toy import loaded_training

from fairseq_hmst.data.flat_rows import FlatRows
from fairseq_hmst.data.variation.draws import Draws
from fairseq_hmst.data.variation.repetition import Durations

NUM_SPEECH = 300


def test_the_normal_rule_has_the_deviation_of_the_speech(toy_data_bin):
    task = loaded_training(toy_data_bin, repeat_jitter="normal")
    speech, text = task.dataset("train").streams
    known = [row for row in range(NUM_SPEECH) if len(speech.transcripts[row]) > 1]
    units = np.array([len(speech.sources[row]) - 1 for row in known])
    tokens = np.array([len(speech.transcripts[row]) - 1 for row in known])
    (variation,) = text.variations
    assert variation.rule.repeat == 4
    expected = Durations(units, tokens, tokens).coefficient_of_variation
    assert expected > 0
    assert variation.rule.standard_deviation == pytest.approx(4 * min(expected, 0.5))


def test_characters_keep_the_mean_of_sampled_pieces(toy_data_bin, monkeypatch):
    monkeypatch.setattr(Durations, "by_characters", (0.5, 1.0))
    options = {"sample_pieces": "source", "sampling_alpha": 0.02, "repeat_jitter": "characters"}
    text = loaded_training(toy_data_bin, **options).dataset("train").streams[1]
    drawn = text.of_epoch(Draws(1, 1))
    tokens = FlatRows.of_rows(drawn.transcripts).take(np.arange(len(drawn.transcripts)), 0, 1).tokens
    rule = text.variations[-1].rule
    assert rule.draw(tokens, np.random.default_rng(0)).mean() == pytest.approx(4, rel=0.03)
    stored = FlatRows.of_rows(text.transcripts).take(np.arange(len(text.transcripts)), 0, 1).tokens
    assert rule.draw(stored, np.random.default_rng(0)).mean() > 4.1
