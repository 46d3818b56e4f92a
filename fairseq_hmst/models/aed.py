"""hmst_aed: an attentional encoder-decoder (AED)."""

from dataclasses import dataclass, field
from typing import Any

from fairseq.models import register_model
from fairseq.models.transformer import TransformerDecoderBase
from torch import Tensor

from ..modules.unit_encoder import build_embedding, transformer_config
from .base import AuxiliaryCTCConfig, HmstModel, ModelOutput, SharedEncoderConfig


@dataclass
class AttentionDecoderConfig(SharedEncoderConfig):
    """The attention decoder's sizes; its width is the encoder's."""

    decoder_layers: int = field(default=6, metadata={"help": "decoder layers"})
    max_target_positions: int = field(default=1024, metadata={"help": "longest output in tokens"})


class AttentionDecoderModel(HmstModel):
    """The shared encoder with fairseq's Transformer decoder; input and output embeddings of the decoder are one."""

    def __init__(self, config: Any, task: Any, target_ctc: bool) -> None:
        super().__init__(config, task, target_ctc)
        decoder_config = transformer_config(
            config, decoder_layers=config.decoder_layers, max_target_positions=config.max_target_positions
        )
        embedding = build_embedding(task.target_dictionary, config.embed_dim)
        self.decoder = TransformerDecoderBase(decoder_config, task.target_dictionary, embedding)

    @property
    def decodings(self) -> tuple[str, ...]:
        return ("attention", "ctc", "joint") if self.ctc_head is not None else ("attention",)

    def forward(self, src_tokens: Tensor, src_lengths: Tensor, prev_output_tokens: Tensor) -> ModelOutput:
        """(B, T) source tokens and (B, U) shifted target tokens -> scores of every head."""
        encoder_out, output = self.encode_with_heads(src_tokens, src_lengths)
        logits, extra = self.decoder(prev_output_tokens, encoder_out=encoder_out)
        return output._replace(attention_logits=logits, decoder_extra=extra)

    def max_positions(self) -> tuple[int, int]:
        return self.encoder.max_positions(), self.decoder.max_positions()

    def max_decoder_positions(self) -> int:
        """fairseq's beam search asks for this bound on the length of hypotheses."""
        return self.decoder.max_positions()


@dataclass
class AedConfig(AttentionDecoderConfig, AuxiliaryCTCConfig):
    """All options of hmst_aed."""


@register_model("hmst_aed", dataclass=AedConfig)
class AedModel(AttentionDecoderModel):
    """Attentional encoder-decoder; both CTC heads may be added as auxiliary losses."""

    def __init__(self, config: Any, task: Any) -> None:
        super().__init__(config, task, target_ctc=config.target_ctc)
