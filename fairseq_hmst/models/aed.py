"""hmst_aed: an attentional encoder-decoder (AED)."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Optional

from fairseq.dataclass import ChoiceEnum
from fairseq.models import register_model
from torch import Tensor, nn

from ..data.data_bin import DataBin
from ..modules.attention_decoder import AttentionDecoder, PaddedStartEmbedding
from ..modules.joint_embedding import JointEmbedding, check_is_prefix
from ..modules.unit_encoder import build_embedding, choose_positions, transformer_config
from .hmst_model import AuxiliaryCTCConfig, HmstModel, ModelOutput, ModelTask, SharedEncoderConfig
from .pretrained import FINETUNE_CHOICES, PretrainedModel

UNSHARED_CHOICES = ["output", "decoder", "all"]


@dataclass
class AttentionDecoderConfig(SharedEncoderConfig):
    """The attention decoder's sizes, its width being the encoder's, and the text model to start from."""

    decoder_layers: int = field(default=6, metadata={"help": "decoder layers"})
    decoder_ffn_embed_dim: Optional[int] = field(
        default=None, metadata={"help": "inner width of the decoder's feed-forward layers (default: --ffn-embed-dim)"}
    )
    decoder_attention_heads: Optional[int] = field(
        default=None, metadata={"help": "attention heads of the decoder (default: --attention-heads)"}
    )
    max_target_positions: int = field(default=1024, metadata={"help": "longest output in tokens"})
    share_embeddings: bool = field(
        default=False,
        metadata={"help": "encoder and decoder share the embeddings of text; for a data-bin made with --text-model"},
    )
    unshared_embeddings: Optional[ChoiceEnum(UNSHARED_CHOICES)] = field(  # type: ignore[valid-type]
        default=None,
        metadata={
            "help": "exceptions from --share-embeddings: output: the decoder's output has embeddings of its own; "
            "decoder: the decoder has, of its input and output; all: its input has, and so has its output"
        },
    )
    output_bias: bool = field(default=False, metadata={"help": "the decoder's output has a bias, as Marian's"})
    start_with_padding: bool = field(
        default=False,
        metadata={"help": "the decoder starts from the embedding of <pad>, as Marian's, and not from that of </s>"},
    )
    init_from: Optional[str] = field(
        default=None,
        metadata={
            "help": "start from a pretrained text model: the file that `hmst text-start` made for "
            "this data-bin; the architecture is taken from it"
        },
    )
    finetune: Optional[ChoiceEnum(FINETUNE_CHOICES)] = field(  # type: ignore[valid-type]
        default=None,
        metadata={
            "help": "what is trained after --init-from: all; lna: layer norms, attention, and all that is new "
            "(embeddings of units, CTC heads); units: layer norms and all that is new (default: all)"
        },
    )
    new_lr_scale: float = field(
        default=1.0,
        metadata={
            "help": "multiple of the learning rate for what is new after --init-from (embeddings of units, CTC heads), "
            "above 0"
        },
    )


class AttentionDecoderModel(HmstModel):
    """The shared encoder with fairseq's Transformer decoder, whose input and output share an embedding by default.

    Raises:
        ValueError: share_embeddings with a data-bin that was made without a text model, or unshared_embeddings
            without it.
    """

    def __init__(self, config: AttentionDecoderConfig, task: ModelTask, target_ctc: bool) -> None:
        super().__init__(config, task, target_ctc)
        unshared = config.unshared_embeddings
        if unshared is not None and not config.share_embeddings:
            raise ValueError(f"--unshared-embeddings {unshared} has no effect without --share-embeddings")
        decoder_config = transformer_config(
            config,
            decoder_layers=config.decoder_layers,
            decoder_ffn_embed_dim=config.decoder_ffn_embed_dim or config.ffn_embed_dim,
            decoder_attention_heads=config.decoder_attention_heads or config.attention_heads,
            max_target_positions=config.max_target_positions,
            share_decoder_input_output_embed=unshared not in ("output", "all"),
        )
        if config.share_embeddings and unshared not in ("decoder", "all"):
            embedding = self.encoder.embed_tokens.text
        else:
            embedding = build_embedding(task.target_dictionary, config.embed_dim)
        if config.start_with_padding:
            embedding = PaddedStartEmbedding(embedding, task.data_bin.language_symbols.first_inputs)
        self.decoder = AttentionDecoder(decoder_config, task.target_dictionary, embedding, config.output_bias)
        choose_positions(self.decoder, config)

    @classmethod
    def start_weights(cls, config: SharedEncoderConfig, data_bin: DataBin) -> Callable[[HmstModel], None] | None:
        if config.init_from is None:
            if config.finetune is not None:
                raise ValueError(f"--finetune {config.finetune} has no effect without --init-from")
            if config.new_lr_scale != 1:
                raise ValueError(f"--new-lr-scale {config.new_lr_scale} has no effect without --init-from")
            return super().start_weights(config, data_bin)
        if not 0 < config.new_lr_scale < math.inf:
            raise ValueError(f"--new-lr-scale must be above 0, got {config.new_lr_scale}")
        if config.transfer_from is not None:
            raise ValueError("--init-from and --transfer-from both give the weights to start from: give one of them")
        pretrained = PretrainedModel.read(config.init_from)
        pretrained.check_data_bin(data_bin)
        pretrained.configure(config)
        return functools.partial(pretrained.load_into, finetune=config.finetune, new_lr_scale=config.new_lr_scale)

    def build_encoder_embedding(self, config: SharedEncoderConfig, task: ModelTask) -> nn.Module:
        if not config.share_embeddings:
            return super().build_encoder_embedding(config, task)
        if task.data_bin.card.text_model is None:
            raise ValueError(
                "--share-embeddings needs one dictionary of text for source and target: a data-bin made with "
                f"`hmst preprocess subwords --text-model`, which {task.data_bin.path} is not"
            )
        check_is_prefix(task.target_dictionary, task.source_dictionary)
        text = build_embedding(task.target_dictionary, config.embed_dim)
        return JointEmbedding(text, len(task.source_dictionary) - len(task.target_dictionary))

    @property
    def decodings(self) -> tuple[str, ...]:
        return ("attention", "ctc", "joint") if self.ctc_head is not None else ("attention",)

    def forward(self, src_tokens: Tensor, src_lengths: Tensor, prev_output_tokens: Tensor) -> ModelOutput:
        """Scores of every head, of source tokens (B, T) and shifted target tokens (B, U)."""
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

    family = "hmst_aed"
    main_heads = ("attention",)

    def __init__(self, config: AedConfig, task: ModelTask) -> None:
        super().__init__(config, task, target_ctc=config.target_ctc)
