"""Joint CTC/attention decoding behind fairseq's beam search, on small random models and on an enumerable toy."""

import itertools
import math

import pytest
import torch
from fairseq.sequence_generator import SequenceGenerator
from toy import batch_of, build_model

from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.generators.joint_ensemble import JointEnsemble

NO_SYMBOLS = LanguageSymbolIds(eos_index=2)
SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
NUM_LABELS = 24  # of the toy corpus


@pytest.fixture(scope="module")
def model(toy_task):
    return build_model(toy_task, "hmst_ctc_attention_tiny", **SMALL | {"source_ctc_layer": 0})


def search(task, models, ctc_weight, beam_size=4, **options):
    ensemble = JointEnsemble(models, NO_SYMBOLS, ctc_weight, beam_size, task.target_dictionary.eos())
    return SequenceGenerator(ensemble, task.target_dictionary, beam_size=beam_size, max_len_b=8, **options)


def hypotheses_of(generator, batch):
    return [
        [(hypothesis["tokens"].tolist(), float(hypothesis["score"])) for hypothesis in hypotheses]
        for hypotheses in generator.generate([], batch)
    ]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for found_list, expected_list in zip(found, expected, strict=True):
        assert [tokens for tokens, _ in found_list] == [tokens for tokens, _ in expected_list]
        assert [score for _, score in found_list] == pytest.approx([score for _, score in expected_list], abs=1e-4)


@pytest.mark.parametrize("options", [{}, {"len_penalty": 0.4}, {"normalize_scores": False}])
def test_weight_0_is_fairseqs_beam_search(toy_task, model, options):
    batch = batch_of(toy_task, range(8))
    plain = SequenceGenerator([model], toy_task.target_dictionary, beam_size=4, max_len_b=8, **options)
    assert hypotheses_of(search(toy_task, [model], 0.0, **options), batch) == hypotheses_of(plain, batch)


@pytest.mark.parametrize("ctc_weight", [0.3, 1.0])
def test_batched_equals_one_by_one_hypothesis_for_hypothesis(toy_task, model, ctc_weight):
    batch = batch_of(toy_task, range(8))
    assert len(set(batch["net_input"]["src_lengths"].tolist())) > 2
    generator = search(toy_task, [model], ctc_weight)
    one_by_one = [hypotheses_of(generator, batch_of(toy_task, [row]))[0] for row in batch["id"].tolist()]
    assert_same(hypotheses_of(generator, batch), one_by_one)


def test_scores_are_the_weighted_sums_of_both_heads(toy_task, model):
    batch = batch_of(toy_task, [0])
    dictionary = toy_task.target_dictionary
    weight = 0.3
    for tokens, score in hypotheses_of(search(toy_task, [model], weight, normalize_scores=False), batch)[0]:
        target = torch.tensor([tokens])
        output = model(**batch["net_input"] | {"prev_output_tokens": target.roll(1, dims=1)})
        attention = float(output.attention_logits.log_softmax(-1)[0].gather(1, target.T).sum())
        labels, log_probs = target[0, :-1], output.ctc_logits[0].double().log_softmax(-1)
        lengths = torch.tensor(len(log_probs)), torch.tensor(len(labels))
        ctc = -float(torch.nn.functional.ctc_loss(log_probs, labels, *lengths, reduction="sum"))
        assert labels.ne(dictionary.eos()).all()
        if ctc > -1e3:  # otherwise impossible under CTC, and only finite so that the search can end
            assert score == pytest.approx((1 - weight) * attention + weight * ctc, abs=1e-3)


def test_an_ensemble_of_one_model_with_itself_changes_nothing(toy_task, model):
    batch = batch_of(toy_task, range(4))
    twice = hypotheses_of(search(toy_task, [model, model], 0.3), batch)
    assert_same(twice, hypotheses_of(search(toy_task, [model], 0.3), batch))


class UniformLanguageModel(torch.nn.Module):
    def forward(self, tokens):
        return tokens, None

    def get_normalized_probs(self, output, log_probs, sample):
        return torch.full((*output[0].shape, NUM_LABELS), -math.log(NUM_LABELS))


def test_a_language_model_adds_its_weighted_scores(toy_task, model):
    assert len(toy_task.target_dictionary) == NUM_LABELS
    batch = batch_of(toy_task, range(4))
    plain = hypotheses_of(search(toy_task, [model], 0.3, normalize_scores=False), batch)
    fused = search(toy_task, [model], 0.3, normalize_scores=False, lm_model=UniformLanguageModel(), lm_weight=0.5)
    # every token costs the same more: it changes scores by length alone
    for with_lm, without in zip(hypotheses_of(fused, batch), plain, strict=True):
        scores = {tuple(tokens): score for tokens, score in without}
        common = [(tokens, score) for tokens, score in with_lm if tuple(tokens) in scores]
        assert common
        for tokens, score in common:
            expected = scores[tuple(tokens)] - 0.5 * len(tokens) * math.log(NUM_LABELS)
            assert score == pytest.approx(expected, abs=1e-3)


def test_a_weight_outside_its_range_is_refused(toy_task, model):
    with pytest.raises(ValueError, match=r"ctc_decode_weight must lie in \[0, 1\], got 1.5"):
        search(toy_task, [model], 1.5)


NUM_TYPES = 100  # fairseq needs more types than twice the beam


class ToyModel(torch.nn.Module):
    """Three labels (ids 4 to 6) and types that never occur; attention depends on the whole prefix, CTC has 5 frames."""

    ctc_blank_index = 0

    def __init__(self, seed):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.table = 2 * torch.randn(4**4, 7, generator=generator)
        frames = (2 * torch.randn(1, 5, 7, generator=generator)).double().log_softmax(-1)
        self.frames = torch.nn.functional.pad(frames, (0, NUM_TYPES - 7), value=-math.inf)

    encoder = decoder = property(lambda self: self)

    def forward_torchscript(self, net_input):
        return {"rows": net_input["src_tokens"]}

    def reorder_encoder_out(self, encoder_out, order):
        return {"rows": encoder_out["rows"][order]}

    def ctc_log_probs(self, encoder_out):
        return self.frames, torch.tensor([5])

    def attention(self, prefix):
        number = 0
        for token in (token for token in prefix if token in (4, 5, 6)):
            number = 4 * number + token - 3
        scores = self.table[number].clone()
        scores[:2], scores[3] = -math.inf, -math.inf  # neither bos, padding nor unknown
        return torch.nn.functional.pad(scores.double().log_softmax(-1), (0, NUM_TYPES - 7), value=-math.inf)

    def forward(self, tokens, encoder_out=None):
        return torch.stack([self.attention(row[1:]) for row in tokens.tolist()])[:, None], None

    def get_normalized_probs(self, output, log_probs, sample):
        return output[0]

    def max_decoder_positions(self):
        return 100


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
def test_a_beam_as_large_as_the_space_finds_the_argmax(seed, weight):
    model, longest = ToyModel(seed), 3

    def score(labels):
        attention = sum(float(model.attention(labels[:step])[token]) for step, token in enumerate([*labels, 2]))
        targets, lengths = torch.tensor(labels), (torch.tensor(5), torch.tensor(len(labels)))
        ctc = -float(torch.nn.functional.ctc_loss(model.frames[0], targets, *lengths, reduction="sum"))
        return (1 - weight) * attention + weight * ctc

    space = [list(labels) for length in range(1, longest + 1) for labels in itertools.product((4, 5, 6), repeat=length)]
    best = max(space, key=score)

    class Dictionary(list):
        pad, unk, eos, bos = (lambda self: 1), (lambda self: 3), (lambda self: 2), (lambda self: 0)

    dictionary = Dictionary(range(NUM_TYPES))
    ensemble = JointEnsemble([model], NO_SYMBOLS, weight, beam_size=40, eos_index=2)
    generator = SequenceGenerator(ensemble, dictionary, beam_size=40, max_len_b=longest, normalize_scores=False)
    sample = {"net_input": {"src_tokens": torch.zeros(1, 1, dtype=torch.long), "src_lengths": torch.tensor([1])}}
    ((found, *_),) = generator.generate([], sample)
    assert found["tokens"].tolist() == [*best, 2]
    assert float(found["score"]) == pytest.approx(score(best), abs=1e-4)
