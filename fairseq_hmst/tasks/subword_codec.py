"""Lines of text to and from subwords, in the form fairseq's commands ask of a `bpe`."""

import numpy as np
from fairseq.data.data_utils import post_process
from sentencepiece import SentencePieceProcessor

from preprocess.files.escapes import escape_text, unescape_text
from preprocess.files.repetition import repeat_tokens
from preprocess.files.units import units_to_text

from ..data.data_bin import DataBin, DataBinError


class SubwordCodec:
    """Encodes input lines of one stream and decodes output pieces.

    Args:
        data_bin: gives the SentencePiece models, the repeat factor and the unit characters.
        stream: `st` reads lines of de-duplicated unit ids separated by spaces; `mt` reads source text.
    """

    def __init__(self, data_bin: DataBin, stream: str) -> None:
        self.data_bin = data_bin
        self.stream = stream
        self._model: SentencePieceProcessor | None = None

    def encode(self, line: str) -> str:
        """Subwords of a line, separated by spaces; those of source text repeated as in training.

        Raises:
            DataBinError: a line of the speech stream holds something else than unit ids.
        """
        if self._model is None:
            self._model = self.data_bin.subword_model("unit" if self.stream == "st" else "source")
        if self.stream == "st":
            return " ".join(self._model.encode(self._unit_text(line), out_type=str))
        text = escape_text(line) if self.data_bin.card.escapes else line
        pieces = self._model.encode(text, out_type=str)
        return " ".join(repeat_tokens(np.array(pieces, dtype=object), self.data_bin.card.repeat))

    def _unit_text(self, line: str) -> str:
        num_units = self.data_bin.card.num_units
        words = line.split()
        for word in words:
            if not (word.isascii() and word.isdigit()) or int(word) >= num_units:
                raise DataBinError(
                    f"expected unit ids in 0..{num_units - 1} separated by spaces, found '{word}'; "
                    "for source text use --eval-stream mt"
                )
        return units_to_text(map(int, words))

    def decode(self, pieces: str) -> str:
        """Plain text of target pieces, also of what fairseq's --post-process has joined."""
        return decode_pieces(pieces, self.data_bin)


def decode_pieces(pieces: str, data_bin: DataBin) -> str:
    """Plain text of text pieces.

    Args:
        pieces: separated by spaces, or as fairseq's --post-process has joined them.
        data_bin: whose pieces they are.
    """
    text = post_process(pieces, "sentencepiece") if "\u2581" in pieces else pieces
    return unescape_text(text) if data_bin.card.escapes else text
