from argparse import Namespace

import pytest
import torch
from fairseq.models.transformer import TransformerConfig

from fairseq_hmst.modules.conformer import ConformerEncoderLayer, ConvolutionModule


@pytest.fixture
def layer():
    torch.manual_seed(0)
    sizes = Namespace(encoder_embed_dim=8, encoder_ffn_embed_dim=16, encoder_attention_heads=2)
    config = TransformerConfig.from_namespace(sizes)
    return ConformerEncoderLayer(config, kernel_size=5).eval()


def test_padding_changes_nothing_at_valid_positions(layer):
    x = torch.randn(6, 1, 8)
    alone = layer(x, None)
    garbage = 100 * torch.randn(4, 1, 8)
    padded = layer(torch.cat([x, garbage]), torch.tensor([[False] * 6 + [True] * 4]))
    torch.testing.assert_close(padded[:6], alone)


def test_convolution_reaches_half_its_kernel_to_both_sides():
    torch.manual_seed(0)
    module = ConvolutionModule(8, kernel_size=5, dropout=0.0).eval()
    x = torch.randn(9, 1, 8)
    changed = x.clone()
    changed[4] = torch.randn(1, 8)
    reached = (module(x, None) - module(changed, None)).abs().sum((1, 2)) > 1e-6
    assert reached.tolist() == [False, False, True, True, True, True, True, False, False]


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="conformer_kernel must be odd, got 4"):
        ConvolutionModule(8, kernel_size=4, dropout=0.0)
