"""A Conformer encoder layer whose results do not depend on padding (Gulati et al. 2020, arXiv:2005.08100)."""

import torch
from fairseq import utils
from fairseq.models.transformer import TransformerConfig
from fairseq.modules import LayerNorm, MultiheadAttention
from fairseq.modules.conformer_layer import FeedForwardModule
from torch import Tensor, nn


class ConvolutionModule(nn.Module):
    """Pointwise, gated, depthwise and pointwise convolution over time.

    Unlike fairseq's module of this name it sets padding to zero before the depthwise convolution, and normalises each
    frame by itself (LayerNorm) where the paper has BatchNorm, whose statistics would see padding and other utterances.
    """

    def __init__(self, width: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"conformer_kernel must be odd, got {kernel_size}")
        self.layer_norm = LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, kernel_size, padding=kernel_size // 2, groups=width)
        self.depthwise_norm = LayerNorm(width)
        self.project = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, padding_mask: Tensor | None) -> Tensor:
        """Apply the module to (T, B, D) with a mask (B, T), True at padding; (T, B, D)."""
        x = nn.functional.glu(self.expand(self.layer_norm(x)), dim=-1)
        x = x.permute(1, 2, 0)  # (T, B, D) -> (B, D, T)
        if padding_mask is not None:
            x = x.masked_fill(padding_mask.unsqueeze(1), 0.0)
        x = self.depthwise(x).permute(2, 0, 1)  # (B, D, T) -> (T, B, D)
        return self.dropout(self.project(nn.functional.silu(self.depthwise_norm(x))))


class ConformerEncoderLayer(nn.Module):
    """Half feed-forward, self-attention, convolution, half feed-forward, layer norm.

    Positions come from the encoder's embeddings, as in its Transformer layers, not from relative attention.

    Args:
        config: fairseq's configuration of the encoder.
        kernel_size: input steps that the convolution sees.
        activation: fairseq's name of the activation in feed-forward layers; None is swish.
    """

    def __init__(self, config: TransformerConfig, kernel_size: int, activation: str | None = None) -> None:
        super().__init__()
        width, ffn_width = config.encoder.embed_dim, config.encoder.ffn_embed_dim
        activation_dropout, dropout = config.activation_dropout, config.dropout
        self.ffn1 = FeedForwardModule(width, ffn_width, activation_dropout, dropout)
        self.ffn2 = FeedForwardModule(width, ffn_width, activation_dropout, dropout)
        if activation is not None and str(activation) != "swish":
            for feed_forward in (self.ffn1, self.ffn2):
                del feed_forward.activation  # the module of fairseq's swish, the only one it can build
                feed_forward.activation = utils.get_activation_fn(activation)
        self.self_attn_layer_norm = LayerNorm(width)
        self.self_attn = MultiheadAttention(
            width, config.encoder.attention_heads, dropout=config.attention_dropout, self_attention=True
        )
        self.dropout = nn.Dropout(dropout)
        self.convolution = ConvolutionModule(width, kernel_size, dropout)
        self.final_layer_norm = LayerNorm(width)

    def forward(self, x: Tensor, encoder_padding_mask: Tensor | None) -> Tensor:
        """Apply the layer to (T, B, D) with a mask (B, T), True at padding, or None; (T, B, D)."""
        x = x + 0.5 * self.ffn1(x)
        query = self.self_attn_layer_norm(x)
        attended, _ = self.self_attn(query, query, query, key_padding_mask=encoder_padding_mask, need_weights=False)
        x = x + self.dropout(attended)
        x = x + self.convolution(x, encoder_padding_mask)
        x = x + 0.5 * self.ffn2(x)
        return self.final_layer_norm(x)

    def upgrade_state_dict_named(self, state_dict: dict[str, torch.Tensor], name: str) -> None:
        """Nothing to upgrade; fairseq's encoder calls this on each of its layers."""
