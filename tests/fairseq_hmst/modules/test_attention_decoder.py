"""The attention decoder computes what fairseq's does, which masks padding in its self-attention."""

import pytest
import torch
from fairseq.data import Dictionary
from fairseq.models.transformer import TransformerDecoderBase

from fairseq_hmst.modules.attention_decoder import AttentionDecoder
from fairseq_hmst.modules.unit_encoder import UnitEncoderConfig, build_embedding, transformer_config

TOKENS = torch.tensor([[2, 4, 5, 6], [2, 7, 1, 1]])
IS_PADDING = TOKENS == 1


@pytest.fixture
def decoders():
    """Ours and fairseq's, of the same weights."""
    dictionary = Dictionary()
    for symbol in "abcd":
        dictionary.add_symbol(symbol)
    sizes = UnitEncoderConfig(embed_dim=8, ffn_embed_dim=16, attention_heads=2)
    config = transformer_config(sizes, decoder_layers=2, max_target_positions=20)
    torch.manual_seed(0)
    ours, fairseqs = (
        kind(config, dictionary, build_embedding(dictionary, 8)).eval()
        for kind in (AttentionDecoder, TransformerDecoderBase)
    )
    fairseqs.load_state_dict(ours.state_dict())
    return ours, fairseqs


@pytest.fixture
def encoder_out():
    torch.manual_seed(1)
    padding_mask = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    return {"encoder_out": [torch.randn(5, 2, 8)], "encoder_padding_mask": [padding_mask]}


def test_scores_and_gradients_are_fairseqs_wherever_there_is_no_padding(decoders, encoder_out):
    passes = []
    for decoder in decoders:
        scores = decoder(TOKENS, encoder_out=encoder_out)[0][~IS_PADDING]
        scores.square().sum().backward()
        passes.append([scores, *(weights.grad for weights in decoder.parameters())])
    assert all(torch.equal(*pair) for pair in zip(*passes, strict=True))
