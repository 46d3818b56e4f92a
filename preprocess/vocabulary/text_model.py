"""A pretrained text model (mBART) as its users have it: its kind, and its SentencePiece model.

Two forms: a folder or hub name of Hugging Face (config.json, sentencepiece.bpe.model, usually tokenizer_config.json),
and fairseq's release (model.pt, sentence.bpe.model, dict.txt or one dict.LANGUAGE.txt a language, with mBART-50 also
ML50_langs.txt). Weights are not read here.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError, VocabularyError
from ..files.cards.stage_cards import TextModelEntry
from ..files.hashing import hash_file
from ..files.hub import HubError, resolve_folder
from ..files.languages import CONVENTIONS
from ..files.reading.json_file import read_json
from ..files.reading.sentencepiece_model import read_sentencepiece

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

logger = logging.getLogger(__name__)

HUGGING_FACE_MODEL = "sentencepiece.bpe.model"
FAIRSEQ_MODEL = "sentence.bpe.model"
HUGGING_FACE_FILES = ("config.json", "tokenizer_config.json", HUGGING_FACE_MODEL)
MASK_SYMBOL = "<mask>"


@dataclass(frozen=True)
class TextModelVocabulary:
    """Kind and pieces of a text model, which is all that preprocess needs of it."""

    name: str  # of the folder, or the hub's
    convention: str  # a key of languages.CONVENTIONS
    sentencepiece_path: Path
    num_pieces: int  # without <unk> and control symbols

    def as_entry(self) -> TextModelEntry:
        """Entry `text_model` of the card of the subwords."""
        return TextModelEntry(
            convention=self.convention,
            name=self.name,
            hash=hash_file(self.sentencepiece_path),
            symbols=CONVENTIONS[self.convention].symbols,
            pieces=self.num_pieces,
        )


def find_text_model(source: str | Path) -> TextModelVocabulary:
    """Describe the text model in a folder, or of a hub name.

    Raises:
        VocabularyError: it cannot be found, is no mBART, lacks its tokenizer, or its files do not fit together.
    """
    folder = _find_folder(source)
    name = folder.resolve().name if Path(source).is_dir() else str(source)
    if (folder / "config.json").is_file():
        path = _existing(folder, HUGGING_FACE_MODEL)
        model = load_sentencepiece(path)
        convention = _hugging_face_convention(folder, model)
    elif (folder / "model.pt").is_file():
        path = _existing(folder, FAIRSEQ_MODEL)
        model = load_sentencepiece(path)
        convention = _fairseq_convention(folder)
        _check_fairseq_dictionary(folder, model)
    else:
        raise VocabularyError(
            f"{folder} is no mBART: expected config.json (Hugging Face) or model.pt (fairseq's release) there, "
            f"found {_listing(folder)}"
        )
    logger.info("%s: %s, %d pieces", source, convention, model.get_piece_size())
    return TextModelVocabulary(name, convention, path, len(model_piece_ids(model)))


def load_sentencepiece(path: Path) -> "SentencePieceProcessor":
    """Read a text model's SentencePiece model.

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


def _find_folder(source: str | Path) -> Path:
    try:
        return resolve_folder(source, HUGGING_FACE_FILES)
    except HubError as error:
        raise VocabularyError(f"--text-model {error.found}") from error


def _existing(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise VocabularyError(
            f"{folder} lacks the tokenizer, {name}; found {_listing(folder)}",
            advice="copy the file of that model there",
        )
    return folder / name


def _hugging_face_convention(folder: Path, model: "SentencePieceProcessor") -> str:
    """Kind of a folder's model, by the size of the vocabulary, else by name. Pieces, symbols and <mask> count.

    The class that tokenizer_config.json names comes second: mBART-50 folders that say MBartTokenizer are about.
    """
    config = _read_json(folder / "config.json")
    tokenizer = _read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    if config.get("model_type") != "mbart":
        raise VocabularyError(f"{folder}/config.json: expected model_type mbart, found {config.get('model_type')}")
    size = config.get("vocab_size", 0)
    if not isinstance(size, int):
        raise VocabularyError(f"vocab_size must be a whole number, found {size!r}", place=folder / "config.json")
    expected = {name: model.get_piece_size() + 1 + len(kind.symbols) + 1 for name, kind in CONVENTIONS.items()}
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
        raise VocabularyError(f"{folder} lacks the dictionary, dict.txt or dict.en_XX.txt; found {_listing(folder)}")
    symbols = set(_dictionary_symbols(path))
    missing = [piece for piece in map(model.id_to_piece, model_piece_ids(model)) if piece not in symbols]
    if missing:
        raise VocabularyError(
            f"{path} lacks {len(missing)} pieces of {folder / FAIRSEQ_MODEL}, the first is {missing[0]!r}: "
            "the two are not of the same model"
        )


def _dictionary_symbols(path: Path) -> Iterator[str]:
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.rstrip("\n").rpartition(" ")[0]


def _read_json(path: Path) -> dict[str, object]:
    try:
        content = read_json(path)
    except FileError as error:
        raise VocabularyError.of(error, "download it again") from error
    if not isinstance(content, dict):
        raise VocabularyError(f"expected a JSON object, found {type(content).__name__}", place=path)
    return content


def _listing(folder: Path) -> str:
    return ", ".join(sorted(path.name for path in folder.iterdir())[:20]) or "nothing"
