"""Files of a text model's tokenizer, read or refused."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError, VocabularyError
from ..files.reading.json_file import read_json
from ..files.reading.sentencepiece_model import read_sentencepiece
from ..files.reading.vocabulary_file import read_vocabulary

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor


@dataclass(frozen=True)
class Tokenizer:
    """Pieces and language symbols of a text model.

    Attributes:
        convention: a key of languages.CONVENTIONS.
        source, target: files of the SentencePiece models; one for both, but for Opus-MT.
        files: whose hashes tell the model from others.
        symbols: its language symbols, in the order of their embeddings.
        unknown_pieces: pieces of the SentencePiece models that have no embedding.
        languages: of a model of one pair; None: of several, or unknown.
    """

    convention: str
    source: Path
    target: Path
    files: tuple[Path, ...]
    symbols: tuple[str, ...]
    unknown_pieces: tuple[str, ...] = ()
    languages: tuple[str, str] | None = None


def existing(folder: Path, name: str) -> Path:
    """A file of a model's folder.

    Raises:
        VocabularyError: there is none.
    """
    if not (folder / name).is_file():
        fast = (folder / "tokenizer.json").is_file()
        raise VocabularyError(
            f"{folder} lacks the tokenizer, {name}; found {listing(folder)}",
            advice=f"tokenizer.json alone is not enough: copy {name} of that model there"
            if fast
            else "copy the file of that model there",
        )
    return folder / name


def listing(folder: Path) -> str:
    """Names of the first files of a folder."""
    return ", ".join(sorted(path.name for path in folder.iterdir())[:20]) or "nothing"


def load_sentencepiece(path: Path) -> "SentencePieceProcessor":
    """Read a SentencePiece model whose ids are those of embeddings, as in mBART and NLLB.

    Raises:
        VocabularyError: the file is no SentencePiece model, or not one like mBART's (ids 0..2 are <unk> <s> </s>).
    """
    model = read_sentencepiece(path)
    if (model.unk_id(), model.bos_id(), model.eos_id()) != (0, 1, 2):
        found = f"{model.unk_id()} {model.bos_id()} {model.eos_id()}"
        raise VocabularyError(
            f"expected <unk> <s> </s> at the ids 0 1 2, as in mBART's, found them at {found}",
            place=path,
        )
    return model


def model_piece_ids(model: "SentencePieceProcessor") -> list[int]:
    """Ids of the pieces that text is cut into: all but <unk> and control symbols."""
    return [i for i in range(model.get_piece_size()) if not (model.is_unknown(i) or model.is_control(i))]


def model_pieces(model: "SentencePieceProcessor") -> list[str]:
    """The pieces of a model in the order of their ids, without <unk> and control symbols."""
    return [model.id_to_piece(index) for index in model_piece_ids(model)]


def read_object(path: Path) -> dict[str, object]:
    """Content of a JSON file of a model's folder.

    Raises:
        VocabularyError: it cannot be read, or is no JSON object.
    """
    try:
        content = read_json(path)
    except FileError as error:
        raise VocabularyError.of(error, "download it again") from error
    if not isinstance(content, dict):
        raise VocabularyError(f"expected a JSON object, found {type(content).__name__}", place=path)
    return content


def read_tokenizer_config(folder: Path) -> dict[str, object]:
    """tokenizer_config.json, which not every folder has.

    Raises:
        VocabularyError: it cannot be read.
    """
    path = folder / "tokenizer_config.json"
    return read_object(path) if path.is_file() else {}


def read_vocabulary_size(folder: Path, config: dict[str, object]) -> int:
    """Rows of the embedding, as the content of config.json says.

    Raises:
        VocabularyError: it is no whole number.
    """
    size = config.get("vocab_size", 0)
    if not isinstance(size, int):
        raise VocabularyError(f"vocab_size must be a whole number, found {size!r}", place=folder / "config.json")
    return size


def read_rows(path: Path, needed: Collection[str]) -> dict[str, int]:
    """vocab.json: piece -> row of its embedding.

    Raises:
        VocabularyError: it cannot be read, or lacks one of the needed symbols.
    """
    try:
        rows = read_vocabulary(path)
    except FileError as error:
        raise VocabularyError.of(error) from error
    missing = [symbol for symbol in needed if symbol not in rows]
    if missing:
        raise VocabularyError(f"lacks {', '.join(missing)}", place=path, advice="is it of this model?")
    return rows


def check_size(folder: Path, size: int, needed: int, parts: str) -> None:
    """Refuse a tokenizer with more symbols than the model has embeddings; more rows than symbols are none's.

    Raises:
        VocabularyError: there are fewer rows.
    """
    if size < needed:
        raise VocabularyError(
            f"config.json and the tokenizer do not fit together: {parts} make {needed} rows, but vocab_size is {size}",
            place=folder,
        )
