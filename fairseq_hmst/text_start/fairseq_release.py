"""mBART as fairseq releases it: a checkpoint, its dictionary and its SentencePiece model in one folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from fairseq.data import Dictionary
from torch import Tensor

from preprocess.files.reading.finite import check_finite
from preprocess.files.reading.obstacle import in_a_line

from ..models.pretrained import PretrainedModelError
from .families.mbart import MBART
from .pickles import read_checkpoint
from .symbols import MASK_SYMBOL, check_tokenizer
from .text_model import TextModel, check_shared, read_architecture

CHECKPOINT_FILE = "model.pt"
SENTENCEPIECE_FILE = "sentence.bpe.model"
LANGUAGES_FILE = "ML50_langs.txt"  # comes with mBART-50 alone
# what fairseq's models hold besides parameters, and tables of positions that are computed
NO_PARAMETERS = ("version", "_float_tensor")
OPTIONS = ("encoder_attention_heads", "decoder_attention_heads", "activation_fn", "no_scale_embedding")


class MbartOptions(Protocol):
    """Options of fairseq's mBART that its parameters do not tell; OPTIONS by name."""

    encoder_attention_heads: int
    decoder_attention_heads: int
    activation_fn: str
    no_scale_embedding: bool


def read_fairseq_release(
    checkpoint_path: Path, sentencepiece_hash: str, convention: str, trust_pickle: bool
) -> TextModel:
    """Read a checkpoint of fairseq's mBART, and what lies beside it.

    Args:
        checkpoint_path: model.pt, or a checkpoint of one's own.
        sentencepiece_hash: sha256 of the SentencePiece model that the data-bin was made with.
        convention: of the data-bin, `mbart-cc25` or `mbart-50`.
        trust_pickle: see read_checkpoint.

    Raises:
        NotFiniteError: a weight is NaN or infinite.
        PretrainedModelError: it is no whole mBART, lacks one of the files, or does not belong to the data-bin.
    """
    folder = checkpoint_path.parent
    check_tokenizer([folder / SENTENCEPIECE_FILE], sentencepiece_hash)
    found = "mbart-50" if (folder / LANGUAGES_FILE).is_file() else "mbart-cc25"
    if found != convention:
        raise PretrainedModelError(
            f"does not fit the data-bin: it is {found}, the data-bin one for {convention}", place=folder
        )
    checkpoint = read_checkpoint(checkpoint_path, trust_pickle)
    weights = checkpoint.get("model") if isinstance(checkpoint, dict) else None
    if (
        not isinstance(checkpoint, dict)
        or not isinstance(weights, dict)
        or not all(isinstance(tensor, Tensor) for tensor in weights.values())
    ):
        raise PretrainedModelError(
            "expected a checkpoint of fairseq, found another file of torch", place=checkpoint_path
        )
    options, languages_option = _read_options(checkpoint, checkpoint_path)
    state = {name: tensor.float() for name, tensor in weights.items() if not name.endswith(NO_PARAMETERS)}
    check_finite(state, checkpoint_path, "download the model again")
    embedding = _take_embedding(state, checkpoint_path)
    architecture = read_architecture(
        MBART,
        state,
        embedding,
        (options.encoder_attention_heads, options.decoder_attention_heads),
        options.activation_fn,
        not options.no_scale_embedding,
        max_positions=0,  # they are learned
    )
    languages = _read_languages(folder, languages_option)
    rows = _read_rows(folder, languages, len(embedding))
    return TextModel(str(checkpoint_path), rows, languages, embedding, state, architecture)


def _read_options(checkpoint: Mapping[str, Any], path: Path) -> tuple[MbartOptions, str | list[str] | None]:
    """Find the model's options and the task's --langs, in either form of fairseq's checkpoints."""
    config = checkpoint.get("cfg") or {"model": checkpoint.get("args"), "task": checkpoint.get("args")}
    model, task = config.get("model"), config.get("task")
    if task is None or not all(hasattr(model, option) for option in OPTIONS):
        raise PretrainedModelError(
            "expected a checkpoint of fairseq's mBART (arch mbart_large), by its options", place=path
        )
    languages = (task if isinstance(task, Mapping) else vars(task)).get("langs")
    return cast(MbartOptions, model), cast("str | list[str] | None", languages)


def _take_embedding(state: dict[str, Tensor], path: Path) -> Tensor:
    embedding = state.pop("encoder.embed_tokens.weight", None)
    if embedding is None:
        raise PretrainedModelError(
            "expected an encoder-decoder of fairseq, but it has no encoder.embed_tokens", place=path
        )
    names = ("decoder.embed_tokens.weight", "decoder.output_projection.weight")
    check_shared(embedding, {name: state.pop(name) for name in names if name in state}, path)
    biases = sorted(name for name in state if name.startswith("decoder.output_projection.") or "final_logits" in name)
    if biases:
        raise PretrainedModelError(
            f"{', '.join(biases)}: expected an output layer that is the embedding, without a bias", place=path
        )
    return embedding


def _read_languages(folder: Path, languages: str | list[str] | None) -> list[str]:
    """Language symbols in the order in which fairseq's tasks add them to the dictionary."""
    if isinstance(languages, str):
        return languages.split(",")
    if languages:
        return list(languages)
    if (folder / LANGUAGES_FILE).is_file():
        try:
            return (folder / LANGUAGES_FILE).read_text(encoding="utf-8").split()
        except ValueError as error:
            raise PretrainedModelError(f"not UTF-8: {error}", place=folder / LANGUAGES_FILE) from error
    raise PretrainedModelError(
        f"the languages of the model are not known: its checkpoint has no --langs, and {folder} no {LANGUAGES_FILE}"
    )


def _read_rows(folder: Path, languages: list[str], num_rows: int) -> dict[str, int]:
    paths = [folder / "dict.txt", *sorted(folder.glob("dict.*_*.txt"))]  # one a language in mBART-50, all the same
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise PretrainedModelError("lacks the dictionary, dict.txt or dict.en_XX.txt", place=folder)
    try:
        dictionary = Dictionary.load(str(path))
    except Exception as error:  # fairseq raises whatever a damaged file leads it to
        raise PretrainedModelError(f"is no dictionary of fairseq: {in_a_line(error)}", place=path) from error
    rows = {symbol: row for row, symbol in enumerate(dictionary.symbols)}
    rows |= {language: len(dictionary) + number for number, language in enumerate(languages)}
    num_symbols = len(dictionary) + len(languages)
    if num_rows == num_symbols + 1:
        rows[MASK_SYMBOL] = num_symbols
    elif num_rows != num_symbols:
        raise PretrainedModelError(
            f"does not fit the model: its embedding has {num_rows} rows, but {len(dictionary)} symbols (four of them "
            f"special) and {len(languages)} languages make {num_symbols}, or {num_symbols + 1} with {MASK_SYMBOL}",
            place=path,
        )
    return rows
