"""Starting from a pretrained text model: the file that `hmst text-start` writes, and its use."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import torch
from fairseq.models import ARCH_MODEL_REGISTRY, MODEL_DATACLASS_REGISTRY
from torch import Tensor, nn

from preprocess.errors import UserError
from preprocess.files.cards.data_bin_card import KeptTextModel
from preprocess.files.reading.archive import check_archive
from preprocess.files.reading.finite import check_finite
from preprocess.files.reading.obstacle import in_a_line
from preprocess.files.whole import whole_file

from ..data.data_bin import DataBin, DataBinError
from ..training.scaled_updates import set_lr_scale

if TYPE_CHECKING:
    from .aed import AttentionDecoderConfig

logger = logging.getLogger(__name__)

FORMAT = "fairseq_hmst pretrained text model 1"
FINETUNE_CHOICES = ["all", "lna", "units"]
OUTPUT_BIAS = "decoder.output_projection.bias"
# tables that a model has beside TEXT_EMBEDDING as --unshared-embeddings says
DECODER_EMBEDDING = "decoder.embed_tokens.weight"
OUTPUT_EMBEDDING = "decoder.output_projection.weight"
TEXT_EMBEDDING = "encoder.embed_tokens.text.weight"
UNIT_EMBEDDING = "encoder.embed_tokens.units.weight"
# layer norms and attention (Li et al. 2021, "Multilingual Speech Translation from Efficient Finetuning of Pretrained
# Models"), here attention of every kind
NORM_PARTS = ("layer_norm", "layernorm")
LNA_PARTS = (*NORM_PARTS, "self_attn", "encoder_attn")
HEADS = ("ctc_head.", "source_ctc_head.")


class PretrainedModelError(UserError):
    """A pretrained text model cannot be read, or does not fit the data-bin or the options."""


@dataclass(frozen=True)
class Architecture:
    """Options of AttentionDecoderConfig that decide shapes and computation; see there for each."""

    encoder_type: str
    embed_dim: int
    ffn_embed_dim: int
    attention_heads: int
    encoder_layers: int
    decoder_layers: int
    decoder_ffn_embed_dim: int
    decoder_attention_heads: int
    max_source_positions: int
    max_target_positions: int
    activation_fn: str
    layernorm_embedding: bool
    no_scale_embedding: bool
    learned_positions: bool
    share_embeddings: bool
    # of a file of a version that knew mBART alone these are not said
    marian_positions: bool = False
    post_norm: bool = False
    output_bias: bool = False
    start_with_padding: bool = False
    # nor this in one of a version that knew one embedding alone
    unshared_embeddings: str | None = None


@dataclass(frozen=True)
class PretrainedCard:
    """The origin of a file.

    Attributes:
        text_model: of the data-bin.
        dictionaries: fingerprint of the data-bin that the file was made for.
        seed: of the rows that were drawn for new symbols.
    """

    text_model: KeptTextModel
    dictionaries: Mapping[str, str]
    seed: int


@dataclass(frozen=True)
class PretrainedModel:
    """The content of one file.

    Attributes:
        path: the file.
        architecture: of the text model.
        state: parameter of AttentionDecoderModel -> tensor; an embedding of text that several modules share, once.
        card: where it came from.
    """

    path: Path
    architecture: Architecture
    state: Mapping[str, Tensor]
    card: PretrainedCard

    @classmethod
    def read(cls, path: str | Path) -> "PretrainedModel":
        """Map a file into memory; tensors are read from the disk when they are copied.

        Raises:
            PretrainedModelError: there is no such file, or it is another one.
        """
        path, place = Path(path), f"--init-from {path}"
        if not path.is_file():
            raise PretrainedModelError(
                "no such file",
                place=place,
                advice="make it by `hmst text-start`. To go on with training, fairseq-train needs it "
                "again; to decode, its checkpoints are enough",
            )
        check_archive(path)
        try:
            content = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        except Exception as error:  # torch raises whatever a damaged file leads it to
            raise PretrainedModelError(
                f"cannot be read: {in_a_line(error)}", place=place, advice="make it again"
            ) from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise PretrainedModelError(
                "expected what `hmst text-start` writes, found another file of torch", place=place
            )
        try:
            architecture = msgspec.convert(content.get("architecture"), Architecture)
            card = msgspec.convert(content.get("card"), PretrainedCard)
            return cls(path, architecture, content["state"], card)
        except (msgspec.ValidationError, KeyError) as error:
            raise PretrainedModelError(
                f"not in its form: {error}", place=place, advice="make it again by `hmst text-start`"
            ) from error

    def write(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            NotFiniteError: a weight is NaN or infinite.
            OutputError: it cannot be written.
        """
        check_finite(self.state, self.path)
        content = {
            "format": FORMAT,
            "architecture": asdict(self.architecture),
            "state": dict(self.state),
            "card": msgspec.to_builtins(self.card),
        }
        with whole_file(self.path) as temporary, temporary.open("wb") as file:
            torch.save(content, file)

    def check_data_bin(self, data_bin: DataBin) -> None:
        """Refuse a data-bin with other dictionaries or subwords than those that the file was made for."""
        try:
            advice = f"make it again with --data {data_bin.path}"
            data_bin.check_fingerprint(self.card.dictionaries, "was made for", advice)
        except DataBinError as error:
            raise PretrainedModelError.of(error).at(f"--init-from {self.path}") from error

    def configure(self, config: "AttentionDecoderConfig") -> None:
        """Write the architecture into a model's options, so that its checkpoints know it.

        Raises:
            PretrainedModelError: an option was given another value.
        """
        defaults = MODEL_DATACLASS_REGISTRY[ARCH_MODEL_REGISTRY[config._name].family]()
        for name, value in asdict(self.architecture).items():
            given = getattr(config, name)
            if given not in (getattr(defaults, name), value):
                raise PretrainedModelError(
                    f"--{name.replace('_', '-')} is {given}, but {self.path} has {value}: with --init-from the "
                    "architecture is the file's",
                    advice="leave the option out (and take an --arch without _tiny or _base)",
                )
            setattr(config, name, value)

    def load_into(self, model: nn.Module, finetune: str | None, new_lr_scale: float = 1.0) -> None:
        """Copy the weights into a model, and let only those be trained that `finetune` names.

        Args:
            model: an AttentionDecoderModel of this architecture; its CTC heads keep what they have.
            finetune: one of FINETUNE_CHOICES; None is `all`.
            new_lr_scale: multiple of the learning rate for what is new.

        Raises:
            NotFiniteError: a weight is NaN or infinite.
            PretrainedModelError: the model has other parameters.
        """
        check_finite(self.state, f"--init-from {self.path}", "make it again by `hmst text-start`")
        parameters = dict(model.named_parameters())  # what is shared, once
        new = {name for name in parameters if name.startswith(HEADS)}
        differing = sorted((parameters.keys() - new) ^ self.state.keys())
        if differing:
            raise PretrainedModelError(
                f"does not fit the model: they differ in {', '.join(differing[:3])}", place=self.path
            )
        with torch.no_grad():
            for name, tensor in self.state.items():
                parameters[name].copy_(tensor)
        for name, parameter in parameters.items():
            parameter.requires_grad_(is_trained(name, finetune or "all"))
        set_lr_scale((parameter for name, parameter in parameters.items() if is_new(name)), new_lr_scale)
        num_trained = sum(parameter.numel() for parameter in parameters.values() if parameter.requires_grad)
        logger.info(
            f"started from {self.card.text_model.name}; --finetune {finetune or 'all'} trains {num_trained:,} of "
            f"{sum(parameter.numel() for parameter in parameters.values()):,} parameters"
        )


def is_new(name: str) -> bool:
    """Whether a parameter is none of a text model's: rows of units, and CTC heads."""
    return name == UNIT_EMBEDDING or name.startswith(HEADS)


def is_trained(name: str, finetune: str) -> bool:
    """Whether a value of `--finetune` trains a parameter.

    All do with `all`; what is new and layer norms with `units`, and attention too with `lna`.
    """
    parts = {"all": ("",), "lna": LNA_PARTS, "units": NORM_PARTS}[finetune]
    return is_new(name) or any(part in name for part in parts)
