"""The encoder gives what fairseq's forward pass of its layers gives, with and without padding."""

import pytest
import torch
from fairseq.data import Dictionary
from fairseq.models.transformer import TransformerEncoderBase

from fairseq_hmst.modules.unit_encoder import UnitEncoder, UnitEncoderConfig, build_embedding

PADDED = torch.tensor([[4, 5, 6, 2], [7, 2, 1, 1]])


@pytest.fixture(params=["transformer", "conformer"])
def encoder(request):
    dictionary = Dictionary()
    for symbol in "abcd":
        dictionary.add_symbol(symbol)
    sizes = {"embed_dim": 8, "ffn_embed_dim": 16, "attention_heads": 2, "encoder_layers": 2}
    torch.manual_seed(0)
    return UnitEncoder(
        UnitEncoderConfig(encoder_type=request.param, **sizes), dictionary, build_embedding(dictionary, 8)
    )


@pytest.mark.parametrize("tokens", [PADDED, PADDED[:1], PADDED[:, :2]], ids=["padded", "one row", "without padding"])
def test_states_and_gradients_are_those_of_fairseqs_own_pass(encoder, tokens):
    encoder.train()
    passes = []
    for forward in (UnitEncoder.forward, TransformerEncoderBase.forward):
        encoder.zero_grad()
        torch.manual_seed(1)  # of dropout
        out = forward(encoder, tokens, return_all_hiddens=True)
        out["encoder_out"][0].square().sum().backward()
        gradients = [weights.grad.clone() for weights in encoder.parameters()]
        passes.append([*out["encoder_out"], *out["encoder_padding_mask"], *out["encoder_states"], *gradients])
    assert all(torch.equal(*pair) for pair in zip(*passes, strict=True))


def test_states_of_all_layers_are_kept_on_request_alone(encoder):
    assert len(encoder(PADDED, return_all_hiddens=True)["encoder_states"]) == 3
    assert encoder(PADDED)["encoder_states"] == []


def test_the_output_can_be_reordered_as_a_beam_search_does(encoder):
    out = encoder.eval()(PADDED)
    turned = encoder.reorder_encoder_out(out, torch.tensor([1, 0, 0]))
    assert torch.equal(turned["encoder_out"][0], out["encoder_out"][0][:, [1, 0, 0]])
    assert torch.equal(turned["encoder_padding_mask"][0], out["encoder_padding_mask"][0][[1, 0, 0]])
