"""The encoder that speech and text share: joint embedding, then Transformer or Conformer layers."""

import argparse
from dataclasses import dataclass, field
from typing import Optional

from fairseq.data import Dictionary
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.models.transformer import Embedding, TransformerConfig, TransformerEncoderBase
from torch import Tensor, nn

from .conformer import ConformerEncoderLayer
from .positions import MarianPositions

DEFAULT_CONFORMER_KERNEL = 31
ACTIVATIONS = ["relu", "gelu", "gelu_accurate", "tanh", "swish"]


@dataclass
class UnitEncoderConfig(FairseqDataclass):
    """Sizes shared by all families; the defaults are the `_base` sizes."""

    encoder_type: ChoiceEnum(["transformer", "conformer"]) = field(  # type: ignore[valid-type]
        default="transformer", metadata={"help": "kind of encoder layers"}
    )
    embed_dim: int = field(default=256, metadata={"help": "width of embeddings and of every layer"})
    ffn_embed_dim: int = field(default=2048, metadata={"help": "inner width of feed-forward layers"})
    attention_heads: int = field(default=4, metadata={"help": "attention heads; must divide --embed-dim"})
    encoder_layers: int = field(default=12, metadata={"help": "encoder layers, all of them shared by ST and MT"})
    conformer_kernel: Optional[int] = field(
        default=None,
        metadata={"help": "input tokens that a Conformer convolution sees, odd (default: 31); conformer only"},
    )
    dropout: float = field(default=0.1, metadata={"help": "dropout probability, 0 to 1"})
    attention_dropout: float = field(default=0.0, metadata={"help": "dropout probability of attention weights, 0 to 1"})
    activation_dropout: float = field(
        default=0.0, metadata={"help": "dropout probability inside feed-forward layers, 0 to 1"}
    )
    activation_fn: Optional[ChoiceEnum(ACTIVATIONS)] = field(  # type: ignore[valid-type]
        default=None,
        metadata={"help": "activation in feed-forward layers (default: relu, in Conformer layers swish)"},
    )
    layernorm_embedding: bool = field(
        default=False, metadata={"help": "layer norm after token and position embeddings"}
    )
    no_scale_embedding: bool = field(
        default=False, metadata={"help": "do not multiply token embeddings by the square root of --embed-dim"}
    )
    learned_positions: bool = field(
        default=False,
        metadata={
            "help": "learn the embedding of each position up to --max-source-positions and --max-target-positions"
        },
    )
    marian_positions: bool = field(
        default=False,
        metadata={"help": "sinusoidal positions as Marian (Opus-MT) has them, counted from 0"},
    )
    post_norm: bool = field(
        default=False, metadata={"help": "layer norm after each part of a layer, as Marian has it, and not before"}
    )
    max_source_positions: int = field(
        default=4096, metadata={"help": "longest input in tokens; longer ones are left out"}
    )


def transformer_config(config: UnitEncoderConfig, **more: int) -> TransformerConfig:
    """fairseq's nested configuration for our flat one: encoder and decoder of one width.

    Args:
        config: a UnitEncoderConfig or a subclass of it (or omegaconf's form of it).
        more: further flat names of fairseq's, such as decoder_layers; they win.
    """
    width = config.embed_dim
    flat: dict[str, object] = {
        "dropout": config.dropout,
        "attention_dropout": config.attention_dropout,
        "activation_dropout": config.activation_dropout,
        "max_source_positions": config.max_source_positions,
        "encoder_layers": config.encoder_layers,
        "share_decoder_input_output_embed": True,
        "layernorm_embedding": config.layernorm_embedding,
        "no_scale_embedding": config.no_scale_embedding,
    }
    if config.activation_fn is not None:
        flat["activation_fn"] = str(config.activation_fn)
    for side in ("encoder", "decoder"):
        flat |= {
            f"{side}_embed_dim": width,
            f"{side}_ffn_embed_dim": config.ffn_embed_dim,
            f"{side}_attention_heads": config.attention_heads,
            f"{side}_normalize_before": not config.post_norm,
            f"{side}_learned_pos": config.learned_positions,
        }
    flat |= {"decoder_input_dim": width, "decoder_output_dim": width}
    # from_namespace, since TransformerConfig().encoder is a class shared by every configuration in the process
    return TransformerConfig.from_namespace(argparse.Namespace(**flat | more))


def build_embedding(dictionary: Dictionary, width: int) -> nn.Embedding:
    """A token embedding initialised as fairseq's Transformer does."""
    return Embedding(len(dictionary), width, dictionary.pad())


def choose_positions(side: nn.Module, config: UnitEncoderConfig) -> None:
    """Give an encoder or decoder of fairseq's the positions of Marian, if asked for.

    Raises:
        ValueError: learned positions are asked for too.
    """
    if not config.marian_positions:
        return
    if config.learned_positions:
        raise ValueError("--marian-positions and --learned-positions exclude each other: give one of them")
    side.embed_positions = MarianPositions(config.embed_dim)


def with_swish(layer: nn.Module, config: TransformerConfig) -> nn.Module:
    """A layer of fairseq's, which for `swish` has a class in place of the function."""
    if str(config.activation_fn) == "swish":
        setattr(layer, "activation_fn", nn.functional.silu)  # noqa: B010  (the type of a Module's attributes)
    return layer


class UnitEncoder(TransformerEncoderBase):
    """fairseq's Transformer encoder over the joint input dictionary, with Conformer layers as a choice.

    Args:
        config: a UnitEncoderConfig or a subclass of it (or omegaconf's form of it).
        dictionary: the joint input dictionary.
        embedding: (B, T) ids -> (B, T, D); an nn.Embedding or a JointEmbedding.
    """

    def __init__(self, config: UnitEncoderConfig, dictionary: Dictionary, embedding: nn.Module) -> None:
        self._is_conformer = config.encoder_type == "conformer"
        if config.conformer_kernel is not None and not self._is_conformer:
            raise ValueError(
                f"--conformer-kernel {config.conformer_kernel} has no effect with --encoder-type transformer"
            )
        if config.post_norm and self._is_conformer:
            raise ValueError("--post-norm is for --encoder-type transformer: Conformer layers have norms of their own")
        self._conformer_kernel = config.conformer_kernel or DEFAULT_CONFORMER_KERNEL
        self._activation = config.activation_fn
        super().__init__(transformer_config(config), dictionary, embedding)
        choose_positions(self, config)

    def build_encoder_layer(self, cfg: TransformerConfig) -> nn.Module:
        if self._is_conformer:
            return ConformerEncoderLayer(cfg, self._conformer_kernel, self._activation)
        return with_swish(super().build_encoder_layer(cfg), cfg)

    def forward(
        self,
        src_tokens: Tensor,
        src_lengths: Tensor | None = None,
        return_all_hiddens: bool = False,
        token_embeddings: Tensor | None = None,
    ) -> dict[str, list[Tensor]]:
        """fairseq's encoder output of tokens (B, T) padded on the right.

        Every layer masks padding. fairseq asks before each whether there is any, which a GPU would have to answer.
        """
        padding_mask = src_tokens.eq(self.padding_idx)
        x, _ = self.forward_embedding(src_tokens, token_embeddings)
        states = [x.masked_fill(padding_mask.unsqueeze(-1), 0.0).transpose(0, 1)]  # (B, T, D) -> (T, B, D)
        for layer in self.layers:
            states.append(layer(states[-1], encoder_padding_mask=padding_mask))
        return {
            "encoder_out": [states[-1] if self.layer_norm is None else self.layer_norm(states[-1])],
            "encoder_padding_mask": [padding_mask],
            "encoder_states": states if return_all_hiddens else [],
            # what fairseq's decoder does not read, but its reordering of hypotheses expects
            "encoder_embedding": [],
            "src_tokens": [],
            "src_lengths": [],
        }
