"""The parts of transformers' speech encoders, as far as they are read and exchanged here.

Each kind of encoder has classes of its own for them, with the same members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, device, nn
    from transformers import PretrainedConfig


class Exchangeable(Protocol):
    """A module whose `forward` can be exchanged."""

    forward: Callable[..., object]

    def modules(self) -> Iterator[nn.Module]:
        """The module itself and all modules inside it."""
        ...


class NormalisedConvolution(Protocol):
    """A convolution with a layer norm and an activation behind it."""

    conv: nn.Conv1d
    layer_norm: nn.LayerNorm
    activation: Callable[[Tensor], Tensor]


class FeatureEncoder(Exchangeable, Protocol):
    """The convolutions on the waveform."""

    conv_layers: Sequence[NormalisedConvolution]


class FeatureProjection(Protocol):
    """The layer between the convolutions and the transformer."""

    projection: nn.Linear


class PositionsModule(Exchangeable, Protocol):
    """The convolution over time that tells positions; Data2Vec's has no `conv`."""

    conv: nn.Conv1d
    activation: Callable[[Tensor], Tensor]


class FeedForwardModule(Exchangeable, Protocol):
    """The two linear layers of a transformer layer."""

    intermediate_dense: nn.Linear
    output_dense: nn.Linear


class GatedAttentionModule(Exchangeable, Protocol):
    """An attention; the members from `num_heads` on are those of WavLM."""

    q_proj: nn.Linear
    k_proj: nn.Linear
    v_proj: nn.Linear
    out_proj: nn.Linear
    num_heads: int
    gru_rel_pos_linear: nn.Linear
    gru_rel_pos_const: Tensor

    def compute_bias(self, query_length: int, key_length: int) -> Tensor:
        """Bias by position, (H, query_length, key_length)."""
        ...


class EncoderLayer(Protocol):
    """A transformer layer."""

    attention: GatedAttentionModule
    feed_forward: FeedForwardModule


class Transformer(Protocol):
    """The transformer layers, and what comes before and behind them."""

    pos_conv_embed: PositionsModule
    layer_norm: nn.Module
    layers: Sequence[EncoderLayer]


class EncoderOutput(Protocol):
    """Output of a whole encoder."""

    last_hidden_state: Tensor


class WaveformModel(Protocol):
    """A whole encoder that reads waveforms."""

    config: PretrainedConfig
    device: device
    feature_extractor: FeatureEncoder
    feature_projection: FeatureProjection
    encoder: Transformer

    def modules(self) -> Iterator[nn.Module]:
        """The model itself and all modules inside it."""
        ...

    def __call__(self, samples: Tensor, *, attention_mask: Tensor | None) -> EncoderOutput:
        """Encode samples (B, N); the mask is 1 at those that count."""
        ...
