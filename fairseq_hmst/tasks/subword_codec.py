"""Lines of text to and from subwords, in the form fairseq's commands ask of a `bpe`."""

import functools

import numpy as np
from sentencepiece import SentencePieceProcessor

from preprocess.errors import PreprocessError
from preprocess.files.escapes import escape_text
from preprocess.files.reading.lines import check_utf8
from preprocess.files.text import normalise_text
from preprocess.files.tokens.repetition import repeat_tokens
from preprocess.files.units import check_deduplicated, units_to_text

from ..data.data_bin import DataBin, DataBinError
from ..data.text_pieces import FinishedText


class SubwordCodec:
    """Encodes input lines of one stream and decodes output pieces.

    Args:
        data_bin: gives the SentencePiece models, the repeat factor and the unit characters.
        stream: `st` reads lines of de-duplicated unit ids separated by spaces; `mt` reads source text.
    """

    def __init__(self, data_bin: DataBin, stream: str) -> None:
        self.data_bin = data_bin
        self.stream = stream

    @functools.cached_property
    def model(self) -> SentencePieceProcessor:
        """The SentencePiece model of the stream.

        Raises:
            DataBinError: it cannot be read.
        """
        return self.data_bin.subword_model("unit" if self.stream == "st" else "source")

    def encode(self, line: str) -> str:
        """Subwords of a line, separated by spaces; source text is normalised and repeated as in training.

        Raises:
            DataBinError: the line is not UTF-8, or one of the speech stream holds something else than deduplicated
                unit ids.
        """
        try:
            line = check_utf8(line)
            if self.stream == "st":
                return " ".join(self.model.encode(self._unit_text(line), out_type=str))
        except PreprocessError as error:
            raise DataBinError.of(error) from error
        text = normalise_text(line)
        text = escape_text(text) if self.data_bin.card.escapes else text
        pieces = self.model.encode(text, out_type=str)
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
        units = [*map(int, words)]
        check_deduplicated(units)
        return units_to_text(units)

    def decode(self, pieces: str) -> str:
        """Plain text of target pieces, separated by spaces; what a dictionary has finished stays as it is."""
        return pieces if isinstance(pieces, FinishedText) else self.data_bin.join_target(pieces.split(" "))
