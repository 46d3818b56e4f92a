"""A converted model computes what Hugging Face's own does."""

import pytest
import torch
from text_model_cases import text_model_case
from tiny_mbart import CONVENTIONS as MBARTS

TIED = (
    *((convention, keep) for convention in MBARTS for keep in (True, False)),
    ("m2m-100", True),
    ("m2m-100", False),
    ("nllb-200", False),
    ("nllb-200-legacy", True),
    ("opus-mt", True),
    ("opus-mt", False),
    ("opus-mt-several", True),
)
UNTIED = (
    ("mbart-50", True, "all"),
    ("mbart-50", False, "all"),
    ("mbart-cc25", False, "decoder"),
    ("m2m-100", True, "all"),
    ("m2m-100", False, "output"),
    ("nllb-200", False, "all"),
    ("opus-mt", True, "output"),
    ("opus-mt", False, "output"),
    ("opus-mt", True, "decoder"),
    ("opus-mt", False, "decoder"),
    ("opus-mt-several", False, "all"),
)
CASES = (*((*case, None) for case in TIED), *UNTIED)
TOLERANCE = {"atol": 1e-5, "rtol": 5e-7}  # the logit of NLLB's </s> is near 60, where float32 rounds to 4e-6


@pytest.fixture(params=CASES, ids=str)
def case(request):
    """All conventions, with all pieces or those of the data alone, with one embedding or several."""
    convention, keep_all_pieces, untied = request.param
    return text_model_case(convention, keep_all_pieces, untied=untied)


def test_pruning_keeps_some_pieces_and_not_all():
    for convention in (*MBARTS, "m2m-100", "opus-mt"):
        num_rows = [int((text_model_case(convention, keep).row_of >= 0).sum()) for keep in (False, True)]
        assert num_rows[0] < num_rows[1] == text_model_case(convention, True).reference.config.vocab_size


def test_logits_are_those_of_hugging_face(case):
    batch, model = case.batch(), case.model()
    is_token = batch["target"].ne(1)
    assert len(set(is_token.sum(1).tolist())) > 1, "the test wants padding"
    expected = case.reference(**case.reference_inputs(batch)).logits
    found = model(**batch["net_input"]).attention_logits
    assert_logits_close(case, found[is_token], expected[is_token])


def assert_logits_close(case, found: torch.Tensor, expected: torch.Tensor) -> None:
    """Compare logits (..., V) of ours with those of Hugging Face's, of all symbols that it has."""
    is_known = case.row_of >= 0
    torch.testing.assert_close(found[..., is_known], expected[..., case.row_of[is_known]], **TOLERANCE)
    if not is_known.all():  # <s>
        assert found[..., ~is_known].exp().max() < 1e-30


def test_training_without_dropout_gives_the_logits_and_the_gradients_of_hugging_face(case):
    batch, model, reference = case.batch(), case.model().train(), case.reference.train()
    is_token, is_known = batch["target"].ne(1), case.row_of >= 0
    found = model(**batch["net_input"]).attention_logits[is_token]
    expected = reference(**case.reference_inputs(batch)).logits[is_token]
    assert_logits_close(case, found, expected)
    expected = expected[:, case.row_of.clamp(min=0)].masked_fill(~is_known, -torch.inf)
    for logits in (found, expected):
        torch.nn.functional.cross_entropy(logits, batch["target"][is_token]).backward()
    gradients = {name.removeprefix("model."): parameter.grad for name, parameter in reference.named_parameters()}
    for name, parameter in model.named_parameters():
        if not any(part in name for part in ("embed_tokens", "embed_positions", "output_projection")):
            torch.testing.assert_close(parameter.grad, gradients[name], **TOLERANCE, msg=name)
    is_known[1] = False  # fairseq's padding has no gradient, by design
    tables = {
        reference.model.encoder.embed_tokens.weight: model.encoder.embed_tokens.text.weight,
        reference.model.decoder.embed_tokens.weight: model.decoder.embed_tokens.weight,
        reference.lm_head.weight: model.decoder.output_projection.weight,
    }
    for table in set(tables.values()):  # one of several of equal values, which transformers 5 keeps apart, is their sum
        gradient = sum(theirs.grad for theirs, ours in tables.items() if ours is table)
        torch.testing.assert_close(table.grad[is_known], gradient[case.row_of[is_known]], **TOLERANCE)


def test_decoding_step_by_step_gives_the_logits_of_the_whole(case):
    batch, model = case.batch(range(21, 23)), case.model()
    net_input = batch["net_input"]
    expected = case.reference(**case.reference_inputs(batch)).logits
    with torch.no_grad():
        encoder_out = model.encode(net_input["src_tokens"], net_input["src_lengths"])
        state: dict = {}
        for step in range(1, int(batch["target"].ne(1).sum(1).min()) + 1):
            prefix = net_input["prev_output_tokens"][:, :step]
            logits, _ = model.decoder(prefix, encoder_out=encoder_out, incremental_state=state)
            assert_logits_close(case, logits[:, -1], expected[:, step - 1])
