"""The tokenizer of mBART, as Hugging Face and as fairseq have it.

Two forms: a folder of Hugging Face (config.json, sentencepiece.bpe.model, usually tokenizer_config.json), and
fairseq's release (model.pt, sentence.bpe.model, dict.txt or one dict.LANGUAGE.txt a language, with mBART-50 also
ML50_langs.txt).
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import VocabularyError
from ..files.languages import CONVENTIONS
from .tokenizer_files import (
    Tokenizer,
    existing,
    listing,
    load_sentencepiece,
    model_pieces,
    read_tokenizer_config,
    read_vocabulary_size,
)

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

logger = logging.getLogger(__name__)

HUGGING_FACE_MODEL = "sentencepiece.bpe.model"
FAIRSEQ_MODEL = "sentence.bpe.model"
CONVENTION_NAMES = ("mbart-cc25", "mbart-50")


def find_mbart(folder: Path, name: str, config: dict[str, object]) -> Tokenizer:
    """The tokenizer in a folder of Hugging Face, by its config.json.

    Raises:
        VocabularyError: a file is missing, or the files do not fit together.
    """
    path = existing(folder, HUGGING_FACE_MODEL)
    return _tokenizer(path, _hugging_face_convention(folder, load_sentencepiece(path), config))


def find_fairseq_mbart(folder: Path) -> Tokenizer:
    """The tokenizer in a folder of fairseq's release.

    Raises:
        VocabularyError: a file is missing, or the files do not fit together.
    """
    path = existing(folder, FAIRSEQ_MODEL)
    model = load_sentencepiece(path)
    convention = _fairseq_convention(folder)
    _check_fairseq_dictionary(folder, model)
    return _tokenizer(path, convention)


def _tokenizer(path: Path, convention: str) -> Tokenizer:
    return Tokenizer(convention, path, path, (path,), CONVENTIONS[convention].symbols)


def _hugging_face_convention(folder: Path, model: "SentencePieceProcessor", config: dict[str, object]) -> str:
    """Kind of a folder's model, by the size of the vocabulary, else by name. Pieces, symbols and <mask> count.

    The class that tokenizer_config.json names comes second: mBART-50 folders that say MBartTokenizer are about.
    """
    tokenizer, size = read_tokenizer_config(folder), read_vocabulary_size(folder, config)
    expected = {name: model.get_piece_size() + 1 + len(CONVENTIONS[name].symbols) + 1 for name in CONVENTION_NAMES}
    for name, expected_size in expected.items():
        if size == expected_size:
            return name
    named = _named_convention(tokenizer) or _named_convention(config)
    if not named or size < expected[named]:
        sizes = " or ".join(f"{expected_size} ({name})" for name, expected_size in expected.items())
        raise VocabularyError(
            f"config.json and {HUGGING_FACE_MODEL} do not fit together: with {model.get_piece_size()} pieces "
            f"vocab_size must be {sizes}, found {size}",
            place=folder,
        )
    logger.warning(
        "%s: %d rows of the vocabulary were added to %s and are not used", folder, size - expected[named], named
    )
    return named


def _named_convention(config: Mapping[str, object]) -> str | None:
    name = str(config.get("tokenizer_class")).removesuffix("Fast")
    if config.get("language_codes") == "ML50":
        return "mbart-50"
    return {"MBart50Tokenizer": "mbart-50", "MBartTokenizer": "mbart-cc25"}.get(name)


def _fairseq_convention(folder: Path) -> str:
    """mBART-50 comes with the list of its languages, cc25 without one."""
    path = folder / "ML50_langs.txt"
    if not path.is_file():
        return "mbart-cc25"
    symbols = path.read_text(encoding="utf-8").split()
    if tuple(symbols) != CONVENTIONS["mbart-50"].symbols:
        raise VocabularyError(
            f"expected the {len(CONVENTIONS['mbart-50'].symbols)} languages of mBART-50 in their published order, "
            f"found {len(symbols)}: {' '.join(symbols)}",
            place=path,
        )
    return "mbart-50"


def _check_fairseq_dictionary(folder: Path, model: "SentencePieceProcessor") -> None:
    paths = [folder / "dict.txt", *sorted(folder.glob("dict.*_*.txt"))]  # one a language in mBART-50, all the same
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise VocabularyError(f"{folder} lacks the dictionary, dict.txt or dict.en_XX.txt; found {listing(folder)}")
    symbols = set(_dictionary_symbols(path))
    missing = [piece for piece in model_pieces(model) if piece not in symbols]
    if missing:
        raise VocabularyError(
            f"{path} lacks {len(missing)} pieces of {folder / FAIRSEQ_MODEL}, the first is {missing[0]!r}: "
            "the two are not of the same model"
        )


def _dictionary_symbols(path: Path) -> Iterator[str]:
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.rstrip("\n").rpartition(" ")[0]
