"""Scores of a validation against sacreBLEU's on all translations at once."""

import pytest
import sacrebleu
from fairseq.logging import metrics

from fairseq_hmst.bleu import BleuScorer
from fairseq_hmst.tasks.validation.scores import ScoredText, log_scores, score_groups, score_statistics

HYPOTHESES = ["the cat sat on a mat", "two dogs run", "", "it is a blue house, not green", "one two three four"]
REFERENCES = ["the cat sat on the mat", "two dogs are running", "red", "this is a blue house", "one two three four"]
SPEECH = [ScoredText("st", "fr", *pair) for pair in zip(HYPOTHESES, REFERENCES, strict=True)]
TEXT = [ScoredText("mt", "fr", *pair) for pair in zip(REFERENCES, HYPOTHESES, strict=True) if pair[1]]


def logged(batches, streams, languages):
    """The scores that are logged of batches, of which each comes from another process."""
    groups = score_groups(streams, streams[0], languages)
    statistics = [score_statistics(batch, groups, BleuScorer()) for batch in batches]
    assert len({tuple(each) for each in statistics}) == 1  # processes sum what they log name by name
    with metrics.aggregate() as logged_values:
        log_scores(statistics[:1], groups)
        log_scores(statistics[1:], groups)
    values = logged_values.get_smoothed_values()
    assert all(type(value) is float for value in values.values())
    return values


def test_scores_of_batches_are_those_of_all_translations_at_once():
    values = logged([SPEECH[:2] + TEXT, SPEECH[2:3], SPEECH[3:], []], ["st", "mt"], ["fr"])
    for prefix, texts in (("", SPEECH), ("mt_", TEXT)):
        hypotheses, references = [text.hypothesis for text in texts], [text.reference for text in texts]
        bleu = sacrebleu.corpus_bleu(hypotheses, [references])
        assert values[f"{prefix}bleu"] == pytest.approx(bleu.score, abs=0.005)
        assert values[f"{prefix}bleu_bp"] == pytest.approx(bleu.bp, abs=0.0005)
        assert values[f"{prefix}bleu_ratio"] == pytest.approx(bleu.sys_len / bleu.ref_len, abs=0.0005)
        assert values[f"{prefix}chrf"] == pytest.approx(
            sacrebleu.corpus_chrf(hypotheses, [references]).score, abs=0.005
        )


def test_the_stream_that_is_decoded_has_the_names_without_prefix():
    values = logged([SPEECH + TEXT], ["mt", "st"], ["fr"])
    assert values["st_chrf"] == logged([SPEECH], ["st"], ["fr"])["chrf"]
    assert values["chrf"] == logged([TEXT], ["mt"], ["fr"])["chrf"] != values["st_chrf"]


def test_bleu_of_each_language_is_that_of_its_examples_alone():
    references = ["eins zwei drei vier", "un deux trois quatre"] * 2
    hypotheses = ["eins zwei drei vier", "un deux trois quatre", "eins zwei drei vier", "quatre trois deux un"]
    texts = [ScoredText("st", *row) for row in zip(["de", "fr"] * 2, hypotheses, references, strict=True)]
    values = logged([texts[:1], texts[1:], []], ["st", "mt"], ["de", "fr"])
    assert values["bleu_de"] == 100
    assert 0 < values["bleu_fr"] < values["bleu"] < 100
    assert not any(name.startswith("mt_") for name in values)


def test_a_training_step_logs_no_scores():
    with metrics.aggregate() as values:
        log_scores([{"loss": 1.0}], score_groups(["st"], "st", ["fr"]))
        log_scores([], score_groups(["st"], "st", ["fr"]))
    assert values.get_smoothed_values() == {}
