"""Symbols of the rows of embeddings, as the files of tokenizers tell them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from preprocess.errors import FileError, PreprocessError
from preprocess.files.reading.sentencepiece_model import read_sentencepiece
from preprocess.files.reading.vocabulary_file import read_vocabulary
from preprocess.files.text_models import hash_tokenizer

from ..models.pretrained import PretrainedModelError

MASK_SYMBOL = "<mask>"
SPECIAL_SYMBOLS = ("<s>", "<pad>", "</s>", "<unk>")


def check_tokenizer(paths: Sequence[Path], expected: str) -> None:
    """Refuse a model whose tokenizer (see hash_tokenizer) the data-bin was not made with.

    Raises:
        PretrainedModelError: a file is missing, or is another one.
    """
    folder = paths[0].parent
    for path in paths:
        if not path.is_file():
            raise PretrainedModelError(
                f"lacks the tokenizer, {path.name}", place=folder, advice="is it the whole folder of a text model?"
            )
    found = hash_tokenizer(paths)
    if found != expected:
        raise PretrainedModelError(
            f"the data-bin was made with another SentencePiece model: its card says sha256 {expected[:12]}, but "
            f"{', '.join(map(str, paths))} has {found[:12]}",
            advice=f"make the data-bin with --text-model {folder}",
        )


def sentencepiece_symbols(path: Path) -> list[str]:
    """The first symbols of mBART and NLLB: four special ones in place of SentencePiece's three, then its pieces.

    Raises:
        PretrainedModelError: the file cannot be read.
    """
    try:
        model = read_sentencepiece(path)
    except PreprocessError as error:
        raise PretrainedModelError.of(error) from error
    return [*SPECIAL_SYMBOLS, *(model.id_to_piece(i) for i in range(3, len(model)))]


def read_rows(path: Path) -> dict[str, int]:
    """Rows of the symbols in a vocab.json.

    Raises:
        PretrainedModelError: it cannot be read.
    """
    try:
        return read_vocabulary(path)
    except FileError as error:
        raise PretrainedModelError.of(error) from error


def check_number_of_rows(folder: Path, rows: Mapping[str, int], num_rows: int) -> None:
    """Refuse an embedding with fewer rows than there are symbols.

    Raises:
        PretrainedModelError: so it is.
    """
    needed = max(rows.values()) + 1
    if num_rows < needed:
        raise PretrainedModelError(
            f"the tokenizer has {needed} symbols, but the embedding {num_rows} rows", place=folder
        )
