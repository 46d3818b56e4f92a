"""mBART as Hugging Face's transformers hold it: a folder, or a name on their hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from preprocess.errors import FileError, PreprocessError
from preprocess.files.hub import HubError, resolve_folder
from preprocess.files.reading.finite import check_finite
from preprocess.files.reading.json_file import read_json
from preprocess.files.reading.obstacle import in_a_line
from preprocess.files.reading.sentencepiece_model import read_sentencepiece

from ..models.pretrained import PretrainedModelError
from .text_model import MASK_SYMBOL, TextModel, check_sentencepiece, check_shared, read_architecture

if TYPE_CHECKING:
    from transformers import MBartForConditionalGeneration

CONFIG_FILE, SENTENCEPIECE_FILE = "config.json", "sentencepiece.bpe.model"
# transformers' name of an activation -> fairseq's
ACTIVATIONS = {"gelu": "gelu", "gelu_new": "gelu_accurate", "relu": "relu", "tanh": "tanh"}
SPECIAL_SYMBOLS = ("<s>", "<pad>", "</s>", "<unk>")
OUTPUT_LAYER = ("lm_head.", "final_logits", "output_projection.", "decoder.output_projection.")
SHARED_EMBEDDINGS = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")


@dataclass(frozen=True)
class ConfigFile:
    """The part of config.json that must fit before the weights are read."""

    model_type: str = ""
    vocab_size: int = 0


def read_huggingface(source: str, sentencepiece_hash: str, convention: str) -> TextModel:
    """Read an MBartForConditionalGeneration; a .bin file is read as weights alone, so that no code in it can run.

    Args:
        source: folder or hub name.
        sentencepiece_hash: sha256 of the SentencePiece model that the data-bin was made with.
        convention: of the data-bin, `mbart-cc25` or `mbart-50`.

    Raises:
        NotFiniteError: a weight is NaN or infinite.
        PretrainedModelError: it is no whole mBART, lacks its SentencePiece model, or does not belong to the data-bin.
    """
    folder = _find_folder(source)
    num_rows = _read_config(folder / CONFIG_FILE).vocab_size
    check_sentencepiece(folder / SENTENCEPIECE_FILE, sentencepiece_hash)
    symbols, languages = _symbols(folder / SENTENCEPIECE_FILE, num_rows, convention)
    model = _load(source)
    config = model.config
    if config.activation_function not in ACTIVATIONS:
        raise PretrainedModelError(
            f"the activation {config.activation_function} is not known; known are {', '.join(ACTIVATIONS)}",
            place=source,
        )
    state = {name.removeprefix("model."): tensor for name, tensor in model.state_dict().items()}
    check_finite(state, source, "download the model again")
    embedding = state.pop("shared.weight")
    check_shared(embedding, {name: state.pop(name) for name in SHARED_EMBEDDINGS}, source)
    if state.pop("final_logits_bias").any():
        raise PretrainedModelError("final_logits_bias is not zero; a bias of the output is not supported", place=source)
    architecture = read_architecture(
        state,
        embedding,
        (config.encoder_attention_heads, config.decoder_attention_heads),
        ACTIVATIONS[config.activation_function],
        config.scale_embedding,
    )
    rows = {symbol: row for row, symbol in enumerate(symbols)}
    return TextModel(source, rows, languages, embedding, state, architecture)


def _find_folder(source: str) -> Path:
    """The folder with what must fit before the weights are downloaded and read."""
    try:
        return resolve_folder(source, [CONFIG_FILE, SENTENCEPIECE_FILE])
    except HubError as error:
        raise PretrainedModelError.of(error) from error


def _read_config(path: Path) -> ConfigFile:
    try:
        config = read_json(path, ConfigFile)
    except FileError as error:
        raise PretrainedModelError.of(error, "download it again") from error
    if config.model_type != "mbart":
        raise PretrainedModelError(f"expected model_type 'mbart', found '{config.model_type}'", place=path)
    return config


def _symbols(path: Path, num_rows: int, convention: str) -> tuple[list[str], list[str]]:
    """Symbols in the order of their rows, and the languages among them.

    mBART has four special symbols in place of SentencePiece's three, then the pieces, its languages, and <mask>.
    """
    from transformers.models.mbart.tokenization_mbart import FAIRSEQ_LANGUAGE_CODES as CC25_LANGUAGES
    from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES as MBART_50_LANGUAGES

    languages = {"mbart-cc25": CC25_LANGUAGES, "mbart-50": MBART_50_LANGUAGES}
    try:
        model = read_sentencepiece(path)
    except PreprocessError as error:
        raise PretrainedModelError.of(error) from error
    pieces = [*SPECIAL_SYMBOLS, *(model.id_to_piece(i) for i in range(3, len(model)))]
    num_expected = {name: len(pieces) + len(languages[name]) + 1 for name in languages}
    # a model to which rows were added at the end, beside which the convention cannot be told, is taken for what it says
    if num_rows != num_expected[convention] and (
        num_rows in num_expected.values() or num_rows < num_expected[convention]
    ):
        found = ", ".join(f"{number} in {name}" for name, number in num_expected.items())
        raise PretrainedModelError(
            f"does not fit the data-bin, which was made for {convention}: its embedding has {num_rows} rows; with this "
            f"SentencePiece model it would have {found}",
            place=path.parent,
        )
    return [*pieces, *languages[convention], MASK_SYMBOL], list(languages[convention])


def _load(source: str) -> "MBartForConditionalGeneration":
    from transformers import MBartForConditionalGeneration

    try:
        loaded = MBartForConditionalGeneration.from_pretrained(source, dtype=torch.float32, output_loading_info=True)
        model, info = cast("tuple[MBartForConditionalGeneration, dict[str, set[str]]]", loaded)
    except Exception as error:  # torch, safetensors and transformers raise whatever a damaged file leads them to
        raise PretrainedModelError(f"the weights cannot be read: {in_a_line(error)}", place=source) from error
    missing = sorted(info["missing_keys"])
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
