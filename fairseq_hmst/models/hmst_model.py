"""The base of all families: the shared encoder, its CTC heads, and the output of a forward pass."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Optional, Protocol, cast

from fairseq import utils
from fairseq.data import Dictionary
from fairseq.models import MODEL_DATACLASS_REGISTRY, BaseFairseqModel
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from ..data.data_bin import DataBin
from ..data.labels import BLANK_INDEX
from ..modules.ctc_head import CTCHead
from ..modules.unit_encoder import UnitEncoder, UnitEncoderConfig, build_embedding
from .transfer import Transfer


@dataclass
class SharedEncoderConfig(UnitEncoderConfig):
    """The encoder's sizes and the source CTC, which every family may have."""

    source_ctc_layer: int = field(
        default=0,
        metadata={"help": "encoder layer, 1 to --encoder-layers, whose output learns the transcript by CTC; 0: none"},
    )
    transfer_from: Optional[str] = field(
        default=None,
        metadata={
            "help": "start from the weights of a checkpoint of other data or of another model: rows of pieces that "
            "both data-bins have are copied, and all other weights of the same name and shape"
        },
    )


@dataclass
class AuxiliaryCTCConfig(SharedEncoderConfig):
    """An auxiliary CTC head on the translation, for families whose main head is another one."""

    target_ctc: bool = field(
        default=False, metadata={"help": "let the last encoder layer learn the translation by CTC as well"}
    )


class ModelTask(Protocol):
    """The part of the task that a model is built from."""

    source_dictionary: Dictionary
    target_dictionary: Dictionary
    data_bin: DataBin


class TransducerInputs(NamedTuple):
    """Arguments of the transducer loss; see fairseq_hmst.losses.rnnt.fused_rnnt_loss for the shapes."""

    encoder_out: Tensor
    predictor_out: Tensor
    weight: Tensor
    bias: Tensor


class ModelOutput(NamedTuple):
    """Outputs of a model's heads; None where the model lacks the head.

    The first two are what fairseq's own tools expect of a forward pass (logits, extra).
    """

    attention_logits: Tensor | None  # (B, U, V)
    decoder_extra: dict[str, object] | None
    source_lengths: Tensor  # (B,) encoder steps
    blank_index: int  # of CTC heads and transducer
    ctc_logits: Tensor | None = None  # (B, T, V)
    source_ctc_logits: Tensor | None = None  # (B, T, transcript labels)
    transducer: TransducerInputs | None = None


class HmstModel(BaseFairseqModel):
    """An encoder shared by speech and text, with optional CTC heads; each family adds its own head.

    Args:
        config: a SharedEncoderConfig or a subclass of it.
        task: gives `source_dictionary`, `target_dictionary` and `data_bin`.
        target_ctc: whether there is a CTC head on the translation.

    Attributes:
        family: name without a size.
        main_heads: heads of the translation that every model of the family has, as criterions name them.
        heads: of the model, as criterions name them.
        origin: file or folder that the weights were loaded from; "" where they are of no file.

    Raises:
        ValueError: source_ctc_layer lies outside 0..encoder_layers, or a CTC head could not know the language to
            translate into.
    """

    family: ClassVar[str]
    main_heads: ClassVar[tuple[str, ...]]
    ctc_blank_index = BLANK_INDEX
    origin = ""

    def __init__(self, config: SharedEncoderConfig, task: ModelTask, target_ctc: bool = False) -> None:
        super().__init__()
        if not 0 <= config.source_ctc_layer <= config.encoder_layers:
            raise ValueError(
                f"--source-ctc-layer must lie in 0..{config.encoder_layers} (--encoder-layers), "
                f"got {config.source_ctc_layer}"
            )
        self.heads = self.heads_of(config)
        self.source_ctc_layer = config.source_ctc_layer
        self.encoder = UnitEncoder(config, task.source_dictionary, self.build_encoder_embedding(config, task))
        self.ctc_head: CTCHead | None = None
        self.source_ctc_head: CTCHead | None = None
        if target_ctc:
            check_source_names_language(task.data_bin, "CTC")
            num_labels = len(task.target_dictionary)
            self.ctc_head = CTCHead(config.embed_dim, num_labels, config.dropout, normalise=False)
        if config.source_ctc_layer > 0:
            num_labels = task.data_bin.num_transcript_labels
            self.source_ctc_head = CTCHead(config.embed_dim, num_labels, config.dropout, normalise=True)

    @classmethod
    def build_model(cls, cfg: SharedEncoderConfig, task: ModelTask) -> "HmstModel":
        """fairseq's way to make a model; options that an older checkpoint lacks have their defaults."""
        options = MODEL_DATACLASS_REGISTRY[cfg._name]
        defaults = OmegaConf.to_container(OmegaConf.structured(options), enum_to_str=True)
        return cls(cast(SharedEncoderConfig, OmegaConf.merge(defaults, cfg)), task)

    @classmethod
    def heads_of(cls, config: SharedEncoderConfig) -> list[str]:
        """Heads of a model with these options, as criterions name them."""
        heads = [*cls.main_heads]
        heads += ["ctc"] if getattr(config, "target_ctc", False) else []
        return heads + (["source_ctc"] if config.source_ctc_layer > 0 else [])

    @classmethod
    def start_weights(cls, config: SharedEncoderConfig, data_bin: DataBin) -> "Callable[[HmstModel], None] | None":
        """A function that copies weights to start from into a model; None where `config` asks for none.

        What they demand of the model is written into `config`.
        """
        return None if config.transfer_from is None else Transfer.read(config.transfer_from, data_bin).load_into

    def upgrade_state_dict(self, state_dict: dict[str, Tensor]) -> None:
        """Add versions to a state without them, such as fairseq's moving averages of weights (--store-ema).

        fairseq takes it for one of its oldest, and drops the last layer norms of encoder and decoder.
        """
        for name, buffer in self.named_buffers():
            if name.endswith(".version"):
                state_dict.setdefault(name, buffer)
        super().upgrade_state_dict(state_dict)

    def prepare_for_inference_(self, cfg: DictConfig) -> None:
        """Make the model ready to decode; see fairseq's method, which knows of --fp16 alone."""
        super().prepare_for_inference_(cfg)
        if cfg.common.bf16:
            self.bfloat16()

    def build_encoder_embedding(self, config: SharedEncoderConfig, task: ModelTask) -> nn.Module:
        """Embedding of ids (B, T) of the joint input dictionary, (B, T, D)."""
        return build_embedding(task.source_dictionary, config.embed_dim)

    @property
    def decodings(self) -> tuple[str, ...]:
        """The values of --decoding that this model has heads for, the default first."""
        return () if self.ctc_head is None else ("ctc",)

    def encode(self, src_tokens: Tensor, src_lengths: Tensor, all_states: bool = False) -> dict[str, list[Tensor]]:
        """fairseq's encoder output of tokens (B, T) padded on the right, with every layer's states if asked for."""
        return self.encoder(src_tokens, src_lengths, return_all_hiddens=all_states)

    def ctc_log_probs(self, encoder_out: dict[str, list[Tensor]]) -> tuple[Tensor, Tensor]:
        """CTC on the translation: (B, T, V) log-probabilities in float32 and (B,) lengths.

        Raises:
            ValueError: the model has no CTC head.
        """
        if self.ctc_head is None:
            raise ValueError("this model has no CTC head on the translation; it can decode by " + str(self.decodings))
        logits = self.ctc_head(encoder_out["encoder_out"][0])
        return utils.log_softmax(logits, dim=-1), self.source_lengths(encoder_out)

    @staticmethod
    def source_lengths(encoder_out: dict[str, list[Tensor]]) -> Tensor:
        """Encoder steps that are not padding, (B,) int64."""
        return encoder_out["encoder_padding_mask"][0].logical_not().sum(-1)

    def encode_with_heads(self, src_tokens: Tensor, src_lengths: Tensor) -> tuple[dict[str, list[Tensor]], ModelOutput]:
        """The encoder output, and a ModelOutput that holds what the CTC heads make of it."""
        encoder_out = self.encode(src_tokens, src_lengths, all_states=self.source_ctc_head is not None)
        output = ModelOutput(None, None, self.source_lengths(encoder_out), BLANK_INDEX)
        if self.ctc_head is not None:
            output = output._replace(ctc_logits=self.ctc_head(encoder_out["encoder_out"][0]))
        if self.source_ctc_head is not None:
            states = encoder_out["encoder_states"][self.source_ctc_layer]
            output = output._replace(source_ctc_logits=self.source_ctc_head(states))
        return encoder_out, output

    def source_ctc_log_probs(self, src_tokens: Tensor, src_lengths: Tensor) -> tuple[Tensor, Tensor] | None:
        """CTC on the transcript: (B, T, labels) log-probabilities and (B,) lengths; None without such a head."""
        if self.source_ctc_head is None:
            return None
        output = self.encode_with_heads(src_tokens, src_lengths)[1]
        return utils.log_softmax(output.source_ctc_logits, dim=-1), output.source_lengths

    @property
    def max_lengths(self) -> tuple[float, float]:
        """Tokens of the longest source and of the longest target that the model takes."""
        positions = self.max_positions()
        return positions if isinstance(positions, tuple) else (positions, math.inf)

    def max_positions(self) -> int | tuple[int, int]:
        return self.encoder.max_positions()


def check_source_names_language(data_bin: DataBin, head: str) -> None:
    """Refuse a head that learns text alone where no source names the target language.

    Raises:
        ValueError: the data-bin has several target languages, and its sources name their own language.
    """
    languages = data_bin.target_languages
    if len(languages) > 1 and data_bin.language_symbols.named_in_source != "target":
        raise ValueError(
            f"{head} cannot know which of {', '.join(languages)} to translate into: with this text model the sources "
            "of the data-bin name the source language, and only the attention decoder is told the target language; "
            "take --arch hmst_aed without --target-ctc, or a data-bin of one target language"
        )
