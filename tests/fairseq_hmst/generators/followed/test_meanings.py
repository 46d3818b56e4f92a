"""What each option of fairseq's search means, worked out by hand, with every search that follows it."""

import itertools

import pytest
import torch

from fairseq_hmst.generators.followed.table import ATTENTION, CTC, JOINT, LANGUAGES, SUPPORT, TRANSDUCER
from preprocess.errors import OptionError

TOKEN_BY_TOKEN = (ATTENTION, LANGUAGES, JOINT)


def labels_of(decoder, hypothesis):
    """Tokens of a hypothesis without language symbol and </s>."""
    symbols = decoder.task.data_bin.language_symbols.output_ids
    *labels, last = [token for token in hypothesis["tokens"].tolist() if token not in symbols]
    assert last == decoder.task.target_dictionary.eos()
    return labels


def all_labels(decoder, **options):
    return [labels_of(decoder, hypothesis) for row in decoder.decode(**options) for hypothesis in row]


def log_probs_of(decoder, tokens, temperature=1.0):
    """Log-probabilities (U,) of tokens (U,) by attention for the batch's first utterance, teacher-forced."""
    row = {name: tensor[:1] for name, tensor in decoder.batch["net_input"].items()}
    inputs = torch.cat([torch.tensor([decoder.task.target_dictionary.eos()]), tokens[:-1]])[None]
    logits = decoder.model(**row | {"prev_output_tokens": inputs}).attention_logits[0]
    return (logits / temperature).log_softmax(-1).gather(1, tokens[:, None])[:, 0]


def ctc_log_probs_of(decoder, labels, temperature=1.0):
    """Log-probability of labels by CTC for the batch's first utterance, summed over all paths."""
    inputs = decoder.batch["net_input"]
    output = decoder.model(**inputs)
    length = output.source_lengths[0]
    log_probs = (output.ctc_logits[0, :length].double() / temperature).log_softmax(-1)
    losses = torch.nn.functional.ctc_loss(
        log_probs, torch.tensor([labels]), length[None], torch.tensor([len(labels)]), blank=0, reduction="sum"
    )
    return -float(losses)


@pytest.mark.parametrize("search", TOKEN_BY_TOKEN)
def test_no_output_is_shorter_than_min_len(search, decoders):
    shortest = {length: min(map(len, all_labels(decoders[search], min_len=length))) for length in (1, 16)}
    assert shortest[1] < 16 <= shortest[16]


@pytest.mark.parametrize("search", [*TOKEN_BY_TOKEN, TRANSDUCER])
def test_outputs_are_at_most_max_len_b_long_and_tell_that_they_are_cut(search, decoders):
    hypotheses = [best for best, *_ in decoders[search].decode(max_len_b=2, max_len_a=0)]
    assert [len(labels_of(decoders[search], best)) for best in hypotheses] == [2, 2]
    assert all(best["is_cut"] for best in hypotheses)


@pytest.mark.parametrize("search", [*TOKEN_BY_TOKEN, TRANSDUCER])
def test_each_utterance_has_its_own_limit_of_length(search, decoders):
    decoder = decoders[search]
    lengths = decoder.batch["net_input"]["src_lengths"].tolist()
    assert lengths[0] != lengths[1]
    options = {"max_len_a": 1.0, "max_len_b": 0, "beam": 1}
    for (best, *_), limit in zip(decoder.decode(**options), lengths, strict=True):
        num_labels = len(labels_of(decoder, best))
        assert num_labels <= limit
        assert best["is_cut"] == (num_labels == limit)
    if search in SUPPORT["min_len"].by:  # --min-len wins
        assert {len(labels) for labels in all_labels(decoder, min_len=15, **options)} == {15}


def ngrams(labels, size):
    return list(zip(*(labels[start:] for start in range(size)), strict=False))


@pytest.mark.parametrize(("search", "size"), itertools.product(TOKEN_BY_TOKEN, [1, 2, 3]))
def test_no_ngram_comes_twice(search, size, decoders):
    outputs = all_labels(decoders[search], min_len=12)
    assert any(len(set(ngrams(labels, size))) < len(ngrams(labels, size)) for labels in outputs)
    for labels in all_labels(decoders[search], min_len=12, no_repeat_ngram_size=size):
        assert len(set(ngrams(labels, size))) == len(ngrams(labels, size))


@pytest.mark.parametrize("search", [*TOKEN_BY_TOKEN, TRANSDUCER])
def test_the_penalty_makes_unknown_words_rarer_or_more_frequent(search, decoders):
    unknown = decoders[search].task.target_dictionary.unk()
    assert all(set(labels) == {unknown} for labels in all_labels(decoders[search], unkpen=-1000, beam=1, max_len_b=5))
    assert not any(unknown in labels for labels in all_labels(decoders[search], unkpen=1000, min_len=1))


def test_the_temperature_divides_the_logits_of_attention_and_of_ctc(decoders):
    options = {"temperature": 2.5, "unnormalized": True, "max_len_b": 3}
    for search, weight in ((ATTENTION, 0.0), (JOINT, 0.3)):
        decoder = decoders[search]
        best = decoder.decode(**options)[0][0]
        expected = (1 - weight) * float(log_probs_of(decoder, best["tokens"], 2.5).sum())
        expected += weight * ctc_log_probs_of(decoder, labels_of(decoder, best), 2.5) if weight else 0.0
        row = decoder.batch["id"].tolist().index(decoder.batch["id"][0])
        assert row == 0
        assert float(best["score"]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("search", "layer"), [(CTC, "ctc_head.projection"), (TRANSDUCER, "joiner.output")])
def test_the_temperature_is_that_of_a_model_with_smaller_logits(search, layer, decoders):
    decoder = decoders[search]
    found = decoder.decode(temperature=2.5)
    parameters = [*decoder.model.get_submodule(layer).parameters()]
    try:
        with torch.no_grad():
            for parameter in parameters:
                parameter /= 2.5
        expected = decoder.decode()
    finally:
        with torch.no_grad():
            for parameter in parameters:
                parameter *= 2.5
    assert [[h["tokens"].tolist() for h in row] for row in found] == [
        [h["tokens"].tolist() for h in r] for r in expected
    ]
    scores = [[float(h["score"]) for h in row] for row in found]
    assert scores == [pytest.approx([float(h["score"]) for h in row], rel=1e-4) for row in expected]


@pytest.mark.parametrize("search", [ATTENTION, LANGUAGES, JOINT, CTC, TRANSDUCER])
def test_the_length_penalty_is_the_power_of_the_length_that_divides(search, decoders):
    for options, power in (({"lenpen": 0.4}, 0.4), ({"unnormalized": True}, 0.0), ({}, 1.0)):
        for best, *_ in decoders[search].decode(**options):
            total = float(best["positional_scores"].sum())
            assert float(best["score"]) == pytest.approx(total / len(best["tokens"]) ** power, rel=1e-4)


def test_a_prefix_is_that_of_the_reference(decoders):
    decoder = decoders[ATTENTION]
    for row, target in zip(decoder.decode(prefix_size=2), decoder.batch["target"], strict=True):
        assert all(hypothesis["tokens"][:2].tolist() == target[:2].tolist() for hypothesis in row)


@pytest.mark.parametrize("options", [{"sampling_topk": 1}, {"sampling_topp": 1e-6}])
@pytest.mark.parametrize("search", [ATTENTION, LANGUAGES])
def test_sampling_from_the_best_token_alone_is_greedy(search, options, decoders):
    greedy = [best["tokens"].tolist() for best, *_ in decoders[search].decode(beam=1)]
    for expected, row in zip(greedy, decoders[search].decode(sampling=True, beam=2, nbest=2, **options), strict=True):
        assert [hypothesis["tokens"].tolist() for hypothesis in row] == [expected] * 2


def test_samples_are_drawn_as_often_as_the_model_says(decoders):
    decoder = decoders[ATTENTION]
    generator = decoder.generator(sampling=True, beam=20, nbest=20, max_len_b=1, temperature=3.0)
    torch.manual_seed(1)
    draws = [
        int(hypothesis["tokens"][0])
        for _ in range(50)
        for hypothesis in decoder.task.decode(generator, [decoder.model], decoder.batch)[0]
    ]
    size = len(decoder.task.target_dictionary)
    found = torch.bincount(torch.tensor(draws), minlength=size) / len(draws)
    probabilities = torch.stack([log_probs_of(decoder, torch.tensor([token]), 3.0)[0] for token in range(size)]).exp()
    special = [decoder.task.target_dictionary.pad(), decoder.task.target_dictionary.eos()]  # --min-len is 1
    probabilities[special] = 0.0
    probabilities /= probabilities.sum()
    assert len(draws) == 1000
    # five standard deviations of a share
    assert ((found - probabilities).abs() < 5 * (probabilities / len(draws)).sqrt() + 1e-6).all()


@pytest.mark.parametrize(
    "options", [{"diverse_beam_groups": 4, "diverse_beam_strength": 100.0}, {"diversity_rate": 100.0}]
)
def test_diverse_beams_begin_each_in_its_own_way(options, decoders):
    for row in decoders[ATTENTION].decode(beam=4, nbest=4, max_len_b=4, min_len=4, **options):
        assert len({int(hypothesis["tokens"][0]) for hypothesis in row}) == 4
    plain = decoders[ATTENTION].decode(beam=4, nbest=4, max_len_b=4, min_len=4)
    assert any(len({int(hypothesis["tokens"][0]) for hypothesis in row}) < 4 for row in plain)


def test_an_alignment_has_the_source_token_that_each_token_attends_to_most(decoders):
    hard, soft = (decoders[ATTENTION].decode(print_alignment=kind) for kind in ("hard", "soft"))
    for hard_row, soft_row in zip(hard, soft, strict=True):
        weights = torch.tensor([[float(weight) for weight in row] for row in soft_row[0]["alignment"]])
        assert torch.allclose(weights.sum(1), torch.ones(len(weights)), atol=0.02)
        for source, token in hard_row[0]["alignment"]:
            assert float(weights[token, source]) == pytest.approx(float(weights[token].max()), abs=1e-4)


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_a_language_model_adds_its_weighted_scores(weight, decoders):
    decoder = decoders[ATTENTION]
    best = decoder.decode(lm_path="lm.pt", lm_weight=weight, unnormalized=True)[0][0]
    language_model = decoder.language_model.logits.log_softmax(-1)[best["tokens"]]
    expected = float(log_probs_of(decoder, best["tokens"]).sum() + weight * language_model.sum())
    assert float(best["score"]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 0}, "beam must be at least 1"),
        ({"nbest": 6}, r"nbest must lie in 1..5, the beam"),
        ({"nbest": 0}, "nbest must be at least 1"),
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"min_len": 30, "max_len_b": 20}, "min_len must be at most --max-len-b, 20, got 30"),
        ({"max_len_b": -1}, "max_len_b must be at least 0"),
        ({"no_repeat_ngram_size": -1}, "no_repeat_ngram_size must be at least 1"),
        ({"sampling": True, "sampling_topp": 1.5}, "sampling_topp must be above 0 and at most 1"),
        ({"diverse_beam_groups": 2}, "diverse_beam_groups must divide the beam, 5, got 2"),
        ({"sampling_topk": 3}, "sampling_topk 3 has no effect without --sampling"),
        ({"lm_weight": 0.5}, "lm_weight 0.5 has no effect without --lm-path"),
        ({"lm_path": "lm.pt"}, "lm_path lm.pt has no effect without --lm-weight"),
        ({"diverse_beam_strength": 0.7}, "diverse_beam_strength 0.7 has no effect without --diverse-beam-groups"),
        ({"sampling": True, "diversity_rate": 1.0}, "diversity_rate 1.0 does not go with --sampling"),
        ({"prefix_size": 2, "no_repeat_ngram_size": 2}, "no_repeat_ngram_size 2 does not go with --prefix-size"),
        ({"score_reference": True, "min_len": 3}, "min_len 3 has no effect with --score-reference"),
    ],
)
def test_what_lies_outside_its_range_or_has_no_effect_is_refused(options, message, decoders):
    with pytest.raises(OptionError, match=message):
        decoders[ATTENTION].generator(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prefix_size": 2}, "prefix_size needs references"),
        ({"score_reference": True}, "score_reference needs references"),
        ({"print_alignment": "soft"}, "print_alignment soft is printed by fairseq-generate alone"),
    ],
)
def test_what_fairseq_interactive_cannot_follow_is_refused(options, message, decoders):
    decoder = decoders[ATTENTION]
    net_input = {name: decoder.batch["net_input"][name] for name in ("src_tokens", "src_lengths")}
    with pytest.raises(OptionError, match=message):
        decoder.task.inference_step(decoder.generator(**options), [decoder.model], {"net_input": net_input})


def test_a_language_model_that_nobody_loaded_is_refused(decoders):
    from argparse import Namespace

    with pytest.raises(OptionError, match="lm_path lm.pt is loaded by fairseq-generate alone"):
        decoders[ATTENTION].task.build_generator([decoders[ATTENTION].model], Namespace(lm_path="lm.pt", lm_weight=1.0))


def test_every_option_that_is_followed_by_some_but_not_all_says_why():
    assert [name for name, support in SUPPORT.items() if len(support.by) < 5 and not support.why] == []
