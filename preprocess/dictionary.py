"""The joint input dictionary and the output dictionary: their files, and token ids in them.

Ids are fairseq's: 0 <s>, 1 <pad>, 2 </s>, 3 <unk>, and then the lines of the file. Line order is that of the
SentencePiece models, so an id is found by adding an offset to the model's own.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import VocabularyError
from .subwords import Subwords, model_pieces
from .units import units_to_text

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

SPECIAL_SYMBOLS = ("<s>", "<pad>", "</s>", "<unk>")
EOS_INDEX = 2
UNK_INDEX = 3


def input_symbols(subwords: Subwords) -> list[str]:
    """Unit pieces, then source-text pieces.

    Raises:
        VocabularyError: a piece stands in both models, so that one id would mean two things.
    """
    unit_pieces, source_pieces = model_pieces(subwords.units), model_pieces(subwords.source)
    both = sorted(set(unit_pieces) & set(source_pieces))
    if both:
        raise VocabularyError(
            f"{len(both)} pieces stand in the unit model and in the source-text model, such as {both[0]!r}: the source "
            "text holds private-use characters that stand for units; remove them from the text"
        )
    return unit_pieces + source_pieces


def output_symbols(subwords: Subwords) -> list[str]:
    """Target-text pieces."""
    return model_pieces(subwords.target)


def write_dictionary(path: Path, symbols: Iterable[str]) -> None:
    """Write symbols in the form that fairseq's Dictionary.load reads, `symbol count` a line.

    The count is always 1: the same subwords give the same file, whatever data is binarized with them.
    """
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for symbol in symbols:
            # A text about HTML may teach SentencePiece a piece such as <s>; the flag keeps fairseq from refusing it.
            flag = " #fairseq:overwrite" if symbol in SPECIAL_SYMBOLS else ""
            file.write(f"{symbol} 1{flag}\n")


class TokenEncoder:
    """Batches of units and sentences to dictionary ids, int64 arrays that end in </s>; see the card's `repeat`."""

    def __init__(self, subwords: Subwords, repeat: int) -> None:
        self._subwords = subwords
        self._repeat = repeat
        num_unit_pieces = subwords.units.get_piece_size() - 1
        self._text_offset = len(SPECIAL_SYMBOLS) - 1 + num_unit_pieces
        self.source_size = self._text_offset + subwords.source.get_piece_size()
        self.target_size = len(SPECIAL_SYMBOLS) - 1 + subwords.target.get_piece_size()

    def speech(self, units: Sequence[Iterable[int]]) -> list[np.ndarray]:
        """Deduplicated units to ids of unit pieces."""
        return _encode(self._subwords.units, [units_to_text(row) for row in units], len(SPECIAL_SYMBOLS) - 1)

    def transcript(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Source text to ids of source pieces, each once; "" becomes </s> alone."""
        return _encode(self._subwords.source, texts, self._text_offset)

    def repeated_text(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Source text to ids of source pieces, each `repeat` times, then </s> once."""
        return [np.append(np.repeat(ids[:-1], self._repeat), EOS_INDEX) for ids in self.transcript(texts)]

    def target(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Target text to ids of the output dictionary."""
        return _encode(self._subwords.target, texts, len(SPECIAL_SYMBOLS) - 1)


def _encode(model: "SentencePieceProcessor", texts: Sequence[str], offset: int) -> list[np.ndarray]:
    """Piece id p (from 1) becomes p + offset; the models have no id for </s>, and 0 is their <unk>."""
    encoded = []
    for piece_ids in model.encode(list(texts)):
        ids = np.array([*piece_ids, EOS_INDEX - offset], dtype=np.int64) + offset
        ids[:-1][ids[:-1] == offset] = UNK_INDEX
        encoded.append(ids)
    return encoded
