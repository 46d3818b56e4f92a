"""The CTC generator with a stub in the model's place: what fairseq's command lines get from it."""

import math
from types import SimpleNamespace

import pytest
import torch

from fairseq_hmst.generators.ctc.ctc_generator import CTCGenerator
from fairseq_hmst.generators.ctc.ctc_search import ctc_greedy, ctc_prefix_beam_search
from fairseq_hmst.generators.hypothesis import make_hypothesis

BLANK, PADDING, EOS = 0, 1, 2  # as in fairseq's Dictionary, whose <s> serves as blank
DICTIONARY = SimpleNamespace(bos=lambda: BLANK, pad=lambda: PADDING, eos=lambda: EOS)


class StubModel:
    """Looks its CTC log-probabilities up by the tokens' ids."""

    ctc_blank_index = BLANK

    def __init__(self, table, num_missing_frames=0):
        self.table = table
        self.num_missing_frames = num_missing_frames
        self.training = True

    def eval(self):
        self.training = False

    def encode(self, src_tokens, src_lengths):
        if self.training:
            raise RuntimeError("decoding needs evaluation mode")
        return {"states": self.table[src_tokens], "lengths": src_lengths - self.num_missing_frames}

    def ctc_log_probs(self, encoder_out):
        return encoder_out["states"].log_softmax(2), encoder_out["lengths"]


def stub_model(seed=0, scale=2.0):
    return StubModel(scale * torch.randn(10, 12, generator=torch.Generator().manual_seed(seed)))


def batch():
    src_tokens = torch.tensor([[3, 4, 5, 6, 7, 8], [9, 3, 9, PADDING, PADDING, PADDING]])
    return {"net_input": {"src_tokens": src_tokens, "src_lengths": torch.tensor([6, 3])}}


def labels_alone(log_probs):
    """The same distribution with pad and end of sentence made impossible, nothing renormalised."""
    return log_probs.index_fill(2, torch.tensor([PADDING, EOS]), -math.inf)


def token_lists(hypotheses):
    return [[hypothesis["tokens"].tolist() for hypothesis in row] for row in hypotheses]


def stub_log_probs(model, sample):
    model.eval()
    return model.ctc_log_probs(model.encode(**sample["net_input"]))


@pytest.mark.parametrize("beam_size", [2, 5])
def test_hypotheses_are_those_of_the_prefix_beam_search(beam_size):
    model, sample = stub_model(), batch()
    found = CTCGenerator(DICTIONARY, beam_size, length_penalty=0.0).generate([model], sample)
    log_probs, lengths = stub_log_probs(model, sample)
    expected = ctc_prefix_beam_search(labels_alone(log_probs), lengths, BLANK, beam_size)
    assert token_lists(found) == [[[*r.labels, EOS] for r in row] for row in expected]
    for row, expected_row in zip(found, expected, strict=True):
        assert [h["score"].item() for h in row] == pytest.approx([r.log_prob for r in expected_row], rel=1e-6)


def test_beam_one_is_the_best_path():
    model, sample = stub_model(), batch()
    found = CTCGenerator(DICTIONARY, beam_size=1, length_penalty=0.0).generate([model], sample)
    log_probs, lengths = stub_log_probs(model, sample)
    expected = ctc_greedy(labels_alone(log_probs), lengths, BLANK)
    assert token_lists(found) == [[[*r.labels, EOS]] for r in expected]
    assert [row[0]["score"].item() for row in found] == pytest.approx([r.log_prob for r in expected], rel=1e-6)


@pytest.mark.parametrize("beam_size", [1, 6])
def test_padding_end_of_sentence_and_symbols_are_no_labels_however_likely(beam_size):
    model, symbol = stub_model(), 7
    model.table[:, [PADDING, EOS, symbol]] += 20.0
    generator = CTCGenerator(DICTIONARY, beam_size, symbol_ids={symbol})
    for row in generator.generate([model], batch()):
        for hypothesis in row:
            *labels, last = hypothesis["tokens"].tolist()
            assert last == EOS
            assert not {BLANK, PADDING, EOS, symbol} & set(labels)
    assert generator.symbols_to_strip_from_output == {EOS, symbol}


def test_the_length_penalty_divides_as_fairseqs_does_and_ranks_anew():
    sample = batch()
    unpenalised = CTCGenerator(DICTIONARY, 8, length_penalty=0.0).generate([stub_model()], sample)
    penalised = CTCGenerator(DICTIONARY, 8, length_penalty=1.5).generate([stub_model()], sample)
    orders = []
    for before, after in zip(unpenalised, penalised, strict=True):
        expected = {tuple(h["tokens"].tolist()): h["score"].item() / len(h["tokens"]) ** 1.5 for h in before}
        found = {tuple(h["tokens"].tolist()): h["score"].item() for h in after}
        assert found == pytest.approx(expected, rel=1e-6)
        assert list(found.values()) == sorted(found.values(), reverse=True)
        orders.append(list(found) == [tuple(h["tokens"].tolist()) for h in before])
    assert not all(orders)


def test_an_ensemble_averages_probabilities():
    models, sample = [stub_model(1), stub_model(2), stub_model(3)], batch()
    found = CTCGenerator(DICTIONARY, 4, length_penalty=0.0).generate(models, sample)
    mean = torch.stack([stub_log_probs(model, sample)[0].exp() for model in models]).mean(0)
    expected = ctc_prefix_beam_search(labels_alone(mean.log()), sample["net_input"]["src_lengths"], BLANK, 4)
    assert token_lists(found) == [[[*r.labels, EOS] for r in row] for row in expected]
    for row, expected_row in zip(found, expected, strict=True):
        assert [h["score"].item() for h in row] == pytest.approx([r.log_prob for r in expected_row], rel=1e-5)


def test_an_ensemble_of_one_model_twice_is_that_model():
    once = CTCGenerator(DICTIONARY, 4).generate([stub_model()], batch())
    twice = CTCGenerator(DICTIONARY, 4).generate([stub_model(), stub_model()], batch())
    assert token_lists(once) == token_lists(twice)


def test_models_with_other_frames_or_another_blank_are_refused():
    generator = CTCGenerator(DICTIONARY, 2)
    shorter = StubModel(stub_model().table, num_missing_frames=1)
    with pytest.raises(ValueError, match=r"model 1 .* other frames .* \[5, 2\] against \[6, 3\]"):
        generator.generate([stub_model(), shorter], batch())
    other = stub_model()
    other.ctc_blank_index = 3
    with pytest.raises(ValueError, match=r"model 1 .* another CTC blank .* 3 against 0"):
        generator.generate([stub_model(), other], batch())


@pytest.mark.parametrize("forced", ["constraints", "bos_token"])
def test_forced_target_tokens_are_refused(forced):
    with pytest.raises(ValueError, match="cannot follow forced target tokens"):
        CTCGenerator(DICTIONARY, 2).generate([stub_model()], batch(), **{forced: torch.tensor([[4], [5]])})


def test_a_beam_below_one_is_refused():
    with pytest.raises(ValueError, match="beam must be at least 1, got 0"):
        CTCGenerator(DICTIONARY, 0)


def test_positional_scores_fit_the_tokens_and_sum_to_the_log_probability():
    hypothesis = make_hypothesis([5, 6, 5], -2.0, EOS, length_penalty=1.0)
    assert hypothesis["tokens"].tolist() == [5, 6, 5, EOS]
    assert hypothesis["score"].item() == pytest.approx(-0.5)
    assert len(hypothesis["positional_scores"]) == 4
    assert hypothesis["positional_scores"].sum().item() == pytest.approx(-2.0)
    assert make_hypothesis([], -2.0, EOS)["tokens"].tolist() == [EOS]


def test_fairseq_generate_can_print_a_hypothesis():
    """The statements of fairseq_cli/generate.py that touch a hypothesis, on one without labels and one with."""
    from fairseq import utils
    from fairseq.data import Dictionary

    dictionary = Dictionary()
    word = dictionary.add_symbol("word")
    for labels, text in (([], ""), ([word, word], "word word")):
        hypothesis = make_hypothesis(labels, -math.log(2), dictionary.eos())
        _, string, alignment = utils.post_process_prediction(
            hypothesis["tokens"].int().cpu(), "source", hypothesis["alignment"], None, dictionary
        )
        assert string == text
        assert list(alignment) == []
        assert "{}".format(hypothesis["score"] / math.log(2)) == "-1.0"
        positional_scores = hypothesis["positional_scores"].div_(math.log(2)).tolist()
        assert sum(positional_scores) == pytest.approx(-1.0)
