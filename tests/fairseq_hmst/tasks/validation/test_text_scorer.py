"""The scorer that fairseq-generate is given, against sacreBLEU's own."""

from types import SimpleNamespace

import pytest
import sacrebleu
from fairseq import scoring
from fairseq.data import Dictionary
from fairseq.scoring.bleu import SacrebleuConfig
from omegaconf import OmegaConf
from toy import build_task

from fairseq_hmst.bleu import AUTO, TOKENIZERS, BleuError, BleuScorer, tokenizer_of
from fairseq_hmst.data.data_bin import DataBin
from preprocess.errors import OptionError

HYPOTHESES, REFERENCES = ["今天天气很好。", "你好,世界"], ["今天的天气很好。", "你好,世界"]


def scorer_of(task, choice):
    scorer = scoring.build_scorer(choice, task.target_dictionary)
    for reference, hypothesis in zip(REFERENCES, HYPOTHESES, strict=True):
        scorer.add_string(reference, hypothesis)
    return scorer


def choice_of(name, **options):
    return OmegaConf.create({"_name": name, "sacrebleu_tokenizer": "13a", "sacrebleu_lowercase": False} | options)


@pytest.fixture
def chinese(toy_data_bin, monkeypatch):
    """From --bleu-tokenizer to the toy task as if it were Chinese."""
    monkeypatch.setattr(DataBin, "target_languages", ["zh-CN"])
    return lambda tokenizer: build_task(toy_data_bin, bleu_tokenizer=tokenizer)


@pytest.mark.parametrize("choice", [None, "bleu", "sacrebleu", choice_of("bleu"), choice_of("sacrebleu")])
def test_what_fairseq_calls_bleu_is_sacrebleu_by_the_tokenizer_of_the_language(chinese, choice):
    scorer = scorer_of(chinese(AUTO), choice)
    expected = sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES], tokenize="zh")
    assert scorer.score() == expected.score
    assert scorer.result_string().startswith(f"{expected.format()} nrefs:1|case:mixed|eff:no|tok:zh|")


@pytest.mark.parametrize(
    ("choice", "given", "name"),
    [
        ("bleu", "13a", "13a"),
        ("bleu", "char", "char"),
        (choice_of("sacrebleu", sacrebleu_tokenizer="none"), AUTO, "none"),
    ],
)
def test_a_tokenizer_that_is_chosen_is_taken(chinese, choice, given, name):
    scorer = scorer_of(chinese(given), choice)
    assert scorer.score() == sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES], tokenize=name, force=True).score


def test_lower_case_is_sacrebleus():
    texts = ["The Cat sat on a mat"], ["the cat sat on the mat"]
    expected = sacrebleu.corpus_bleu(texts[0], [texts[1]], lowercase=True)
    assert BleuScorer(AUTO, lowercase=True).score(*texts, ["en"]).score == expected.score
    assert "case:lc" in BleuScorer(AUTO, lowercase=True).signature(["en"])


def test_two_tokenizers_and_characters_of_fairseq_are_refused(chinese):
    with pytest.raises(OptionError, match="sacrebleu_char_level is not known to this task; give --bleu-tokenizer char"):
        scorer_of(chinese(AUTO), choice_of("sacrebleu", sacrebleu_char_level=True))
    with pytest.raises(OptionError, match="bleu_tokenizer char contradicts --sacrebleu-tokenizer zh"):
        scorer_of(chinese("char"), choice_of("sacrebleu", sacrebleu_tokenizer="zh"))


def test_other_scorers_and_other_tasks_have_fairseqs_own(toy_task):
    chrf = OmegaConf.create({"_name": "chrf"})
    assert type(scoring.build_scorer(chrf, toy_task.target_dictionary)).__name__ == "ChrFScorer"
    sacre = OmegaConf.structured(SacrebleuConfig)
    sacre._name = "sacrebleu"
    assert type(scoring.build_scorer(sacre, Dictionary())).__name__ == "SacrebleuScorer"


def test_nothing_has_no_score(toy_task):
    assert scoring.build_scorer("bleu", toy_task.target_dictionary).result_string() == "no sentence was scored"


def test_languages_have_the_tokenizers_that_their_scripts_want(monkeypatch):
    found = {name: tokenizer_of(name) for name in "de zh zh-TW zho yue ja jpn ko th lo km my".split()} | {"": "13a"}
    characters = dict.fromkeys(["ja", "jpn", "ko", "th", "lo", "km", "my"], "char")
    assert found == {"de": "13a", "": "13a", **dict.fromkeys(["zh", "zh-TW", "zho", "yue"], "zh"), **characters}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: SimpleNamespace())
    assert {name: tokenizer_of(name) for name in ("ja", "ko")} == {"ja": "ja-mecab", "ko": "ko-mecab"}
    assert set(TOKENIZERS) == {AUTO, *sacrebleu.BLEU.TOKENIZERS}


def test_a_tokenizer_that_is_not_installed_is_named_with_what_to_install():
    with pytest.raises(BleuError, match=r"tokenizer ja-mecab cannot be used here: .*pip install sacrebleu\[ja\]"):
        BleuScorer("ja-mecab").score(["a"], ["a"], ["ja"])
