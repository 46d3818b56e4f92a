"""A converted model computes what Hugging Face's own does."""

import pytest
import torch
from mbart_cases import mbart_case
from tiny_mbart import CONVENTIONS

TOLERANCE = {"atol": 1e-5, "rtol": 0}


@pytest.fixture(params=[(convention, keep) for convention in CONVENTIONS for keep in (True, False)], ids=str)
def case(request):
    """Both conventions, all pieces and those of the data alone."""
    return mbart_case(*request.param)


def test_pruning_keeps_some_pieces_and_not_all():
    for convention in CONVENTIONS:
        sizes = [len(mbart_case(convention, keep).task.target_dictionary) for keep in (False, True)]
        assert sizes[0] < sizes[1] == mbart_case(convention, True).reference.config.vocab_size


def test_logits_are_those_of_hugging_face(case):
    batch, model = case.batch(), case.model()
    is_token = batch["target"].ne(1)
    assert len(set(is_token.sum(1).tolist())) > 1, "the test wants padding"
    expected = case.reference(**case.reference_inputs(batch)).logits[..., case.row_of]
    torch.testing.assert_close(model(**batch["net_input"]).attention_logits[is_token], expected[is_token], **TOLERANCE)


def test_training_without_dropout_gives_the_logits_and_the_gradients_of_hugging_face(case):
    batch, model, reference = case.batch(), case.model().train(), case.reference.train()
    targets = batch["target"][batch["target"].ne(1)]
    logits = [
        model(**batch["net_input"]).attention_logits[batch["target"].ne(1)],
        reference(**case.reference_inputs(batch)).logits[..., case.row_of][batch["target"].ne(1)],
    ]
    torch.testing.assert_close(*logits, **TOLERANCE)
    for rows in logits:
        torch.nn.functional.cross_entropy(rows, targets).backward()
    expected = {name.removeprefix("model."): parameter.grad for name, parameter in reference.named_parameters()}
    for name, parameter in model.named_parameters():
        if "embed_tokens" not in name and "embed_positions" not in name:
            torch.testing.assert_close(parameter.grad, expected[name], **TOLERANCE, msg=name)
    own = [row for row in range(len(case.row_of)) if row != 1]  # fairseq's padding has no gradient, by design
    torch.testing.assert_close(
        model.encoder.embed_tokens.text.weight.grad[own], expected["shared.weight"][case.row_of[own]], **TOLERANCE
    )


def test_decoding_step_by_step_gives_the_logits_of_the_whole(case):
    batch, model = case.batch(range(21, 23)), case.model()
    net_input = batch["net_input"]
    expected = case.reference(**case.reference_inputs(batch)).logits[..., case.row_of]
    with torch.no_grad():
        encoder_out = model.encode(net_input["src_tokens"], net_input["src_lengths"])
        state: dict = {}
        for step in range(1, int(batch["target"].ne(1).sum(1).min()) + 1):
            prefix = net_input["prev_output_tokens"][:, :step]
            logits, _ = model.decoder(prefix, encoder_out=encoder_out, incremental_state=state)
            torch.testing.assert_close(logits[:, -1], expected[:, step - 1], **TOLERANCE)
