"""The tokenizers of M2M-100 and of NLLB-200, whose models are of one class.

M2M-100 has vocab.json beside its SentencePiece model, from which its rows are told, and then its languages; NLLB's rows
are those of mBART: the pieces in SentencePiece's order, its languages, <mask>.
"""

import logging
from pathlib import Path

from ..errors import VocabularyError
from ..files.languages import CONVENTIONS
from ..files.reading.sentencepiece_model import read_sentencepiece
from .tokenizer_files import (
    Tokenizer,
    check_size,
    existing,
    load_sentencepiece,
    model_pieces,
    read_rows,
    read_tokenizer_config,
    read_vocabulary_size,
)

logger = logging.getLogger(__name__)

SENTENCEPIECE_FILE, VOCABULARY_FILE = "sentencepiece.bpe.model", "vocab.json"
SPECIAL_SYMBOLS = ("<s>", "<pad>", "</s>", "<unk>")


def find_m2m_100(folder: Path, name: str, config: dict[str, object]) -> Tokenizer:
    """The tokenizer in a folder of M2M-100 or NLLB.

    Raises:
        VocabularyError: a file is missing, or the files do not fit together.
    """
    tokenizer = read_tokenizer_config(folder)
    named = str(tokenizer.get("tokenizer_class")).removesuffix("Fast")
    is_nllb = named == "NllbTokenizer" or (named != "M2M100Tokenizer" and not (folder / VOCABULARY_FILE).is_file())
    size = read_vocabulary_size(folder, config)
    if is_nllb:
        return _find_nllb(folder, size, is_legacy=tokenizer.get("legacy_behaviour") is True)
    codes = tokenizer.get("language_codes", "m2m100")
    if codes != "m2m100":
        raise VocabularyError(f"expected language_codes m2m100, found {codes}", place=folder / "tokenizer_config.json")
    return _find_m2m(folder, size)


def _find_nllb(folder: Path, size: int, is_legacy: bool) -> Tokenizer:
    convention = "nllb-200-legacy" if is_legacy else "nllb-200"
    path, symbols = existing(folder, SENTENCEPIECE_FILE), CONVENTIONS[convention].symbols
    num_pieces = load_sentencepiece(path).get_piece_size()
    parts = f"{num_pieces} pieces, <pad>, {len(symbols)} languages and <mask>"
    check_size(folder, size, num_pieces + 1 + len(symbols) + 1, parts)
    return Tokenizer(convention, path, path, (path,), symbols)


def _find_m2m(folder: Path, size: int) -> Tokenizer:
    path, vocabulary_path = existing(folder, SENTENCEPIECE_FILE), existing(folder, VOCABULARY_FILE)
    symbols = CONVENTIONS["m2m-100"].symbols
    rows = read_rows(vocabulary_path, SPECIAL_SYMBOLS)
    if max(rows.values()) >= len(rows):
        raise VocabularyError(
            f"has a row {max(rows.values())}, but languages begin at {len(rows)}, the number of its pieces",
            place=vocabulary_path,
        )
    check_size(folder, size, len(rows) + len(symbols), f"{len(rows)} pieces and {len(symbols)} languages")
    unknown = tuple(piece for piece in model_pieces(read_sentencepiece(path)) if piece not in rows)
    return Tokenizer("m2m-100", path, path, (path, vocabulary_path), symbols, unknown)
