"""Starting from a pretrained text model: the file that `python -m fairseq_hmst.mbart` writes, and its use."""

import logging
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from fairseq.models import ARCH_MODEL_NAME_REGISTRY, MODEL_DATACLASS_REGISTRY
from torch import Tensor, nn

logger = logging.getLogger(__name__)

FORMAT = "fairseq_hmst pretrained text model 1"
FINETUNE_CHOICES = ["all", "lna"]
TEXT_EMBEDDING = "encoder.embed_tokens.text.weight"
UNIT_EMBEDDING = "encoder.embed_tokens.units.weight"
# layer norms and attention (Li et al. 2021, "Multilingual Speech Translation from Efficient Finetuning of Pretrained
# Models"), here attention of every kind
LNA_PARTS = ("layer_norm", "layernorm", "self_attn", "encoder_attn")
HEADS = ("ctc_head.", "source_ctc_head.")


class PretrainedModelError(Exception):
    """A pretrained text model cannot be read, or does not fit the data-bin or the options."""


@dataclass
class PretrainedModel:
    """The content of one file.

    Attributes:
        path: the file.
        architecture: option of AttentionDecoderConfig -> value, all those that decide shapes and computation.
        state: parameter of AttentionDecoderModel -> tensor; the embedding of text, which three modules share, once.
        card: `text_model` (name, convention, hash) and `dictionaries` (the fingerprint of the data-bin).
    """

    path: Path
    architecture: dict[str, Any]
    state: dict[str, Tensor]
    card: dict[str, Any]

    @classmethod
    def read(cls, path: str | Path) -> "PretrainedModel":
        """Map a file into memory; tensors are read from the disk when they are copied.

        Raises:
            PretrainedModelError: there is no such file, or it is another one.
        """
        path = Path(path)
        if not path.is_file():
            raise PretrainedModelError(
                f"--init-from {path}: no such file; make it by `python -m fairseq_hmst.mbart`. To go on with training, "
                "fairseq-train needs it again; to decode, its checkpoints are enough"
            )
        try:
            content = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise PretrainedModelError(f"--init-from {path} cannot be read: {error}; make it again") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise PretrainedModelError(
                f"--init-from {path}: expected what `python -m fairseq_hmst.mbart` writes, found another file of torch"
            )
        return cls(path, content["architecture"], content["state"], content["card"])

    def check_data_bin(self, data_bin: Any) -> None:
        """Refuse a data-bin with other dictionaries than those that the file was made for."""
        for name, expected in self.card["dictionaries"].items():
            found = data_bin.fingerprint[name]
            if found != expected:
                raise PretrainedModelError(
                    f"--init-from {self.path} was made for another data-bin: for a {name} of sha256 {expected[:12]}, "
                    f"but {data_bin.path / name} has {found[:12]}; make it again with --data {data_bin.path}"
                )

    def configure(self, config: Any) -> None:
        """Write the architecture into a model's options, so that its checkpoints know it.

        Raises:
            PretrainedModelError: an option was given another value.
        """
        defaults = MODEL_DATACLASS_REGISTRY[ARCH_MODEL_NAME_REGISTRY[config._name]]()
        for name, value in self.architecture.items():
            given = getattr(config, name)
            if given not in (getattr(defaults, name), value):
                raise PretrainedModelError(
                    f"--{name.replace('_', '-')} is {given}, but {self.path} has {value}: with --init-from the "
                    f"architecture is the file's; leave the option out (and take an --arch without _tiny or _base)"
                )
            setattr(config, name, value)

    def load_into(self, model: nn.Module, finetune: str | None) -> None:
        """Copy the weights into a model, and let only those be trained that `finetune` names.

        Args:
            model: an AttentionDecoderModel of this architecture; its CTC heads keep what they have.
            finetune: `all` (so is None) or `lna`.
        """
        parameters = dict(model.named_parameters())  # what is shared, once
        new = {name for name in parameters if name.startswith(HEADS)}
        differing = sorted((parameters.keys() - new) ^ self.state.keys())
        if differing:
            raise PretrainedModelError(f"{self.path} does not fit the model: they differ in {', '.join(differing[:3])}")
        with torch.no_grad():
            for name, tensor in self.state.items():
                parameters[name].copy_(tensor)
        if finetune == "lna":
            for name, parameter in parameters.items():
                parameter.requires_grad_(is_trained_by_lna(name))
        num_trained = sum(parameter.numel() for parameter in parameters.values() if parameter.requires_grad)
        logger.info(
            f"started from {self.card['text_model']['name']}; --finetune {finetune or 'all'} trains {num_trained:,} of "
            f"{sum(parameter.numel() for parameter in parameters.values()):,} parameters"
        )


def is_trained_by_lna(name: str) -> bool:
    """Whether `--finetune lna` trains a parameter: layer norms, attention, and what no text model has."""
    return name == UNIT_EMBEDDING or name.startswith(HEADS) or any(part in name for part in LNA_PARTS)
