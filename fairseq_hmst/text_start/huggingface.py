"""Text models as Hugging Face's transformers hold them: a folder, or a name on their hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from preprocess.errors import FileError
from preprocess.files.program.hub import HubError, resolve_folder
from preprocess.files.reading.finite import check_finite
from preprocess.files.reading.json_file import read_json
from preprocess.files.reading.obstacle import in_a_line
from preprocess.files.text_models import (
    ALL_TOKENIZER_FILES,
    CONFIG_FILE,
    DESCRIBING_FILES,
    TextModelFamily,
    explain_refusal,
)

from ..models.pretrained import OUTPUT_BIAS, PretrainedModelError
from .embeddings import fill_missing, take_embeddings
from .families.family import Family
from .families.table import FAMILIES, family_of
from .symbols import check_tokenizer
from .text_model import TextModel, read_architecture

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding

# transformers' name of an activation -> fairseq's
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_accurate",
    "relu": "relu",
    "tanh": "tanh",
    "swish": "swish",
    "silu": "swish",
}
OUTPUT_LAYER = ("lm_head.", "final_logits", "output_projection.", "decoder.output_projection.")
FINAL_BIAS = "final_logits_bias"


@dataclass(frozen=True)
class ConfigFile:
    """The part of config.json that must fit before the weights are read."""

    model_type: str = ""
    vocab_size: int = 0


def read_huggingface(source: str, tokenizer_hash: str, convention: str) -> TextModel:
    """Read a text model; a .bin file is read as weights alone, so that no code in it can run.

    Args:
        source: folder or hub name.
        tokenizer_hash: of the files that the data-bin was made with; see text_models.hash_tokenizer.
        convention: of the data-bin, a key of languages.CONVENTIONS.

    Raises:
        NotFiniteError: a weight is NaN or infinite.
        PretrainedModelError: it is no whole text model of a known family, lacks its tokenizer, or does not belong to
            the data-bin.
    """
    folder = _find_folder(source)
    config_file = _read_config(folder / CONFIG_FILE)
    family = family_of(convention)
    if family is not FAMILIES[config_file.model_type]:
        raise PretrainedModelError(
            f"does not fit the data-bin, which was made for {convention}: expected model_type "
            f"{family.models.model_type}, found {config_file.model_type}",
            place=folder / CONFIG_FILE,
        )
    check_tokenizer([folder / name for name in _tokenizer_files(family.models, convention)], tokenizer_hash)
    names = family.name_rows(folder, config_file.vocab_size, convention)
    model = _load(source, family)
    config = model.config
    if config.activation_function not in ACTIVATIONS:
        raise PretrainedModelError(
            f"the activation {config.activation_function} is not known; known are {', '.join(ACTIVATIONS)}",
            place=source,
        )
    state = {name.removeprefix("model."): tensor for name, tensor in model.state_dict().items()}
    check_finite(state, source, "download the model again")
    embedding = take_embeddings(state, model, source)
    _take_output_bias(state, family, source)
    if family.positions != "learned from 2":
        _drop_positions(state, model, source)
    if family.start_with_padding and config.decoder_start_token_id != config.pad_token_id:
        raise PretrainedModelError(
            f"expected a decoder that starts from <pad>, found decoder_start_token_id {config.decoder_start_token_id} "
            f"and pad_token_id {config.pad_token_id}",
            place=source,
        )
    architecture = read_architecture(
        family,
        state,
        embedding,
        (config.encoder_attention_heads, config.decoder_attention_heads),
        ACTIVATIONS[config.activation_function],
        config.scale_embedding,
        config.max_position_embeddings,
    )
    return TextModel(source, names.rows, names.languages, embedding, state, architecture)


def _find_folder(source: str) -> Path:
    """The folder with what must fit before the weights are downloaded and read."""
    try:
        return resolve_folder(source, [*DESCRIBING_FILES, *ALL_TOKENIZER_FILES])
    except HubError as error:
        raise PretrainedModelError.of(error) from error


def _read_config(path: Path) -> ConfigFile:
    try:
        config = read_json(path, ConfigFile)
    except FileError as error:
        raise PretrainedModelError.of(error, "download it again") from error
    if config.model_type not in FAMILIES:
        raise PretrainedModelError(explain_refusal(config.model_type), place=path)
    return config


def _tokenizer_files(models: TextModelFamily, convention: str) -> tuple[str, ...]:
    """Files of the tokenizer that the data-bin's hash is of; NLLB has no vocab.json, M2M-100 has."""
    return models.tokenizer_files[:1] if convention.startswith("nllb") else models.tokenizer_files


def _take_output_bias(state: dict[str, Tensor], family: Family, source: str) -> None:
    """Give the bias of the output its name in AttentionDecoderModel; a family without one may have zeros."""
    bias = state.pop(FINAL_BIAS, None)
    if family.output_bias and bias is not None:
        state[OUTPUT_BIAS] = bias.squeeze(0)
    elif bias is not None and bias.any():
        raise PretrainedModelError(f"{FINAL_BIAS} is not zero; a bias of the output is not supported", place=source)


def _drop_positions(state: dict[str, Tensor], model: "PreTrainedModel", source: str) -> None:
    """Drop tables of positions, which are computed; a table of other positions is refused."""
    for side in ("encoder", "decoder"):
        table = state.pop(f"{side}.embed_positions.weight", None)
        if table is not None:
            positions = cast(
                "MarianSinusoidalPositionalEmbedding", model.get_submodule(f"model.{side}.embed_positions")
            )
            expected = positions.create_weight()
            if not torch.allclose(table, expected, atol=1e-4):
                raise PretrainedModelError(f"the positions of the {side} are no sinusoids", place=source)


def _load(source: str, family: Family) -> "PreTrainedModel":
    import transformers

    model_class = getattr(transformers, family.models.class_name)
    try:
        loaded = model_class.from_pretrained(source, dtype=torch.float32, output_loading_info=True)
        model, info = cast("tuple[PreTrainedModel, dict[str, set[str]]]", loaded)
    except Exception as error:  # torch, safetensors and transformers raise whatever a damaged file leads them to
        raise PretrainedModelError(f"the weights cannot be read: {in_a_line(error)}", place=source) from error
    missing = sorted(fill_missing(model, info["missing_keys"]))
    if missing:
        raise PretrainedModelError(
            f"{len(missing)} weights are missing, such as {', '.join(missing[:3])}", place=source
        )
    beside = sorted(name for name in info["unexpected_keys"] if name.startswith(OUTPUT_LAYER))
    if beside:
        raise PretrainedModelError(
            f"{', '.join(beside)}: expected an output layer that is the embedding, without a bias", place=source
        )
    return model
