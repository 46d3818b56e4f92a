"""Beam search with a forced language symbol, on an enumerable toy and on small random models."""

import itertools
import math

import pytest
import torch
from fairseq.sequence_generator import SequenceGenerator
from toy import batch_of, build_model, build_task

from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.generators.joint_ensemble import JointEnsemble
from fairseq_hmst.generators.language_ensemble import LanguageEnsemble

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
SMALL |= {"source_ctc_layer": 0}
FORMS = ("first_output", "first_input")
EOS, LABELS, DE, FR = 2, (4, 5, 6), 7, 8
NUM_TYPES = 100  # fairseq needs more types than twice the beam
LONGEST = 3


def starts(target_form, *symbols):
    """What the decoder reads first, one row a symbol."""
    return torch.tensor([[EOS, symbol] if target_form == "first_output" else [symbol] for symbol in symbols])


class ToyModel(torch.nn.Module):
    """Three labels; attention depends on all that was read before, the symbol first of all; CTC has 5 frames.

    Types that are no label have a probability of their own, so that a search which lets them in is found out.
    """

    ctc_blank_index = 0

    def __init__(self, target_form, seed=0):
        super().__init__()
        self.target_form = target_form
        generator = torch.Generator().manual_seed(seed)
        self.table = 2 * torch.randn(2, 4**4, 9, generator=generator)
        self.table[:, :, [0, 1, 3]] = -math.inf
        frames = 2 * torch.randn(2, 5, 9, generator=generator)
        frames[:, :, [1, 3]] = -math.inf
        self.frames = torch.nn.functional.pad(frames, (0, NUM_TYPES - 9), value=-math.inf).double().log_softmax(-1)

    encoder = decoder = property(lambda self: self)

    def forward_torchscript(self, net_input):
        return {"rows": net_input["src_tokens"]}

    def reorder_encoder_out(self, encoder_out, order):
        return {"rows": encoder_out["rows"][order]}

    def ctc_log_probs(self, encoder_out):
        rows = encoder_out["rows"][:, 0]
        return self.frames[rows], torch.full_like(rows, 5)

    def attention(self, symbol, prefix):
        number = 0
        for token in prefix:
            number = 4 * number + token - 3
        scores = torch.nn.functional.pad(self.table[symbol - DE, number], (0, NUM_TYPES - 9), value=-math.inf)
        return scores.double().log_softmax(-1)

    def forward(self, tokens, encoder_out=None):
        num_start = 2 if self.target_form == "first_output" else 1
        rows = []
        for row in tokens.tolist():
            if len(row) < num_start or row[num_start - 1] not in (DE, FR) or not {*row[num_start:]} <= {*LABELS}:
                rows.append(torch.full((NUM_TYPES,), -math.log(NUM_TYPES), dtype=torch.float64))  # never looked at
            else:
                rows.append(self.attention(row[num_start - 1], row[num_start:]))
        return torch.stack(rows)[:, None], None

    def get_normalized_probs(self, output, log_probs, sample):
        return output[0]

    def max_decoder_positions(self):
        return 100


class ToyDictionary(list):
    pad, unk, eos, bos = (lambda self: 1), (lambda self: 3), (lambda self: EOS), (lambda self: 0)


def best_by_enumeration(model, row, symbol, weight):
    def score(labels):
        attention = sum(float(model.attention(symbol, labels[:i])[token]) for i, token in enumerate([*labels, EOS]))
        lengths = torch.tensor(5), torch.tensor(len(labels))
        ctc = -float(torch.nn.functional.ctc_loss(model.frames[row], torch.tensor(labels), *lengths, reduction="sum"))
        return (1 - weight) * attention + weight * ctc

    space = [list(labels) for length in range(1, LONGEST + 1) for labels in itertools.product(LABELS, repeat=length)]
    best = max(space, key=score)
    return best, score(best)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("target_form", FORMS)
def test_a_beam_as_large_as_the_space_finds_each_examples_argmax_in_its_language(target_form, weight, seed):
    model = ToyModel(target_form, seed)
    symbols = LanguageSymbolIds(EOS, "target_first", target_form, output_ids=frozenset({DE, FR}))
    ensemble = JointEnsemble([model], symbols, weight, beam_size=40, eos_index=EOS)
    more = 1 if target_form == "first_output" else 0
    options = {"beam_size": 40, "normalize_scores": False, "min_len": 1 + more, "max_len_b": LONGEST + more}
    generator = SequenceGenerator(ensemble, ToyDictionary(range(NUM_TYPES)), **options)
    net_input = {"src_tokens": torch.tensor([[0], [1], [0], [1]]), "src_lengths": torch.ones(4, dtype=torch.long)}
    asked = (DE, DE, FR, FR)
    net_input["prev_output_tokens"] = starts(target_form, *asked)
    for row, (found, *_) in enumerate(generator.generate([], {"net_input": net_input})):
        labels, score = best_by_enumeration(model, row % 2, asked[row], weight)
        assert found["tokens"].tolist() == [*([asked[row]] if more else []), *labels, EOS]
        assert float(found["score"]) == pytest.approx(score, abs=1e-4)


@pytest.fixture(scope="module")
def task(language_data_bin):
    return build_task(language_data_bin)


@pytest.fixture(scope="module")
def models(task):
    return two_models(task, "hmst_aed_tiny")


@pytest.fixture(scope="module")
def joint_task(two_target_data_bin):
    return build_task(two_target_data_bin)


@pytest.fixture(scope="module")
def joint_models(joint_task):
    return two_models(joint_task, "hmst_ctc_attention_tiny")


def two_models(task, architecture):
    """Models with random weights, in which languages differ more than at the start of a training."""
    models = [build_model(task, architecture, **SMALL) for _ in range(2)]
    generator = torch.Generator().manual_seed(1)
    for model in models:
        embeddings = model.decoder.embed_tokens.weight
        embeddings.data += 0.5 * torch.randn(embeddings.shape, generator=generator)
        embeddings.data[EOS] *= 3  # some hypotheses end early
    return models


def search(task, ensemble, **options):
    return SequenceGenerator(ensemble, task.target_dictionary, beam_size=4, max_len_b=12, **options)


def plain(task, models):
    return LanguageEnsemble(models, task.data_bin.language_symbols)


def joint(task, models, weight=0.3):
    return JointEnsemble(models, task.data_bin.language_symbols, weight, 4, task.target_dictionary.eos())


def hypotheses_of(generator, batch, **options):
    return [
        [(hypothesis["tokens"].tolist(), float(hypothesis["score"])) for hypothesis in hypotheses]
        for hypotheses in generator.generate([], batch, **options)
    ]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for found_list, expected_list in zip(found, expected, strict=True):
        assert [tokens for tokens, _ in found_list] == [tokens for tokens, _ in expected_list]
        assert [score for _, score in found_list] == pytest.approx([score for _, score in expected_list], abs=1e-4)


@pytest.mark.parametrize("num_models", [1, 2])
def test_it_is_fairseqs_beam_search_with_the_symbol_given(task, models, num_models):
    symbols, models = task.data_bin.language_symbols, models[:num_models]
    suppressed = [task.target_dictionary[index] for index in symbols.output_ids]
    for language, rows in {"fr": (0, 2, 4, 6), "de": (1, 3, 5)}.items():
        batch, symbol = batch_of(task, rows), symbols.target_ids[language]
        fairseq = search(task, models, normalize_scores=False, tokens_to_suppress=suppressed)
        if symbols.target_form == "first_input":
            expected = hypotheses_of(fairseq, batch, bos_token=symbol)
        else:
            prefix = torch.full((len(rows), 1), symbol)
            n_best_lists = hypotheses_of(fairseq, batch, prefix_tokens=prefix)
            costs = symbol_costs(models, batch, symbol)  # which fairseq counts and we do not
            expected = [
                [(tokens, score - cost) for tokens, score in n_best]
                for n_best, cost in zip(n_best_lists, costs, strict=True)
            ]
        assert_same(hypotheses_of(search(task, plain(task, models), normalize_scores=False), batch), expected)


def symbol_costs(models, batch, symbol):
    log_probs = [model(**batch["net_input"]).attention_logits[:, 0].log_softmax(-1)[:, symbol] for model in models]
    return (torch.stack(log_probs).logsumexp(0) - math.log(len(models))).tolist()


def assert_batched_equals_one_by_one(task, generator):
    batch = batch_of(task, range(12))
    assert len(set(batch["net_input"]["src_lengths"].tolist())) > 2
    one_by_one = [hypotheses_of(generator, batch_of(task, [row]))[0] for row in batch["id"].tolist()]
    found = hypotheses_of(generator, batch)
    assert_same(found, one_by_one)
    return found


def test_two_languages_in_one_batch_equal_one_by_one_also_where_the_batch_shrinks(task, models):
    found = assert_batched_equals_one_by_one(task, search(task, plain(task, models)))
    assert len({max(len(tokens) for tokens, _ in n_best) for n_best in found}) > 1


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_two_languages_in_one_batch_equal_one_by_one_in_joint_decoding(joint_task, joint_models, weight):
    assert_batched_equals_one_by_one(joint_task, search(joint_task, joint(joint_task, joint_models, weight)))


def assert_language_decides(task, ensemble):
    symbols = task.data_bin.language_symbols
    batch = batch_of(task, [0, 1, 2, 3])
    found = {}
    for language in ("fr", "de"):
        symbol = symbols.target_ids[language]
        batch["net_input"]["prev_output_tokens"][:, symbols.num_start_tokens - 1] = symbol
        n_best_lists = hypotheses_of(search(task, ensemble), batch)
        if symbols.target_form == "first_output":
            assert {tokens[0] for n_best in n_best_lists for tokens, _ in n_best} == {symbol}
            n_best_lists = [[(tokens[1:], score) for tokens, score in n_best] for n_best in n_best_lists]
        assert not symbols.output_ids & {token for n_best in n_best_lists for tokens, _ in n_best for token in tokens}
        found[language] = n_best_lists
    assert found["fr"] != found["de"]


def test_hypotheses_are_in_the_language_asked_for_and_hold_no_other_symbol(task, models, joint_task, joint_models):
    assert_language_decides(task, plain(task, models))
    assert_language_decides(joint_task, joint(joint_task, joint_models))


def test_joint_decoding_of_weight_0_is_attention(task, models):
    batch = batch_of(task, range(6))
    assert hypotheses_of(search(task, joint(task, models, 0.0)), batch) == hypotheses_of(
        search(task, plain(task, models)), batch
    )


def test_joint_scores_are_the_weighted_sums_of_both_heads_without_the_symbol(joint_task, joint_models):
    task, (model, *_), weight = joint_task, joint_models, 0.3
    batch = batch_of(task, [1])
    ((*n_best,),) = hypotheses_of(search(task, joint(task, [model], weight), normalize_scores=False), batch)
    possible = 0
    for tokens, score in n_best:
        target = torch.tensor([tokens[1:]])
        read = torch.tensor([[EOS, *tokens[:-1]]])
        output = model(**batch["net_input"] | {"prev_output_tokens": read})
        log_probs = output.attention_logits[:, 1:].log_softmax(-1)
        attention = float(log_probs[0].gather(1, target.T).sum())
        frames, labels = output.ctc_logits[0].double().log_softmax(-1), target[0, :-1]
        lengths = torch.tensor(len(frames)), torch.tensor(len(labels))
        ctc = -float(torch.nn.functional.ctc_loss(frames, labels, *lengths, reduction="sum"))
        if ctc > -1e3:  # otherwise impossible under CTC, and only finite so that the search can end
            possible += 1
            assert score == pytest.approx((1 - weight) * attention + weight * ctc, abs=1e-3)
    assert possible > 0


def test_a_batch_that_does_not_name_its_languages_is_refused(task, models):
    batch = batch_of(task, [0])
    del batch["net_input"]["prev_output_tokens"]
    with pytest.raises(ValueError, match="no net_input.'prev_output_tokens'., which name the target language; make"):
        search(task, plain(task, models)).generate([], batch)
