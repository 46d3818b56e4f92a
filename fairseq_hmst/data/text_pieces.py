"""Pieces of text, and the text that they are: the one way of decoding, by the SentencePiece model that cut the text.

fairseq's commands join pieces in two places: in its dictionaries, by the name that --post-process gives, and by the
`decode` of its `bpe`. Both come here.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from fairseq.data import Dictionary
from sentencepiece import SentencePieceProcessor
from torch import Tensor

from preprocess.files.escapes import unescape_text

if TYPE_CHECKING:
    from fairseq.scoring import BaseScorer

SPACE = "\u2581"  # how SentencePiece writes a space


class FinishedText(str):
    """A string of a dictionary without pieces to be joined: text, or a source as it is shown."""

    __slots__ = ()


class TextPieces:
    """Joins the pieces of one SentencePiece model.

    Args:
        model: the model.
        escapes: whether what SentencePiece keeps for itself was escaped in the text.
    """

    def __init__(self, model: SentencePieceProcessor, escapes: bool) -> None:
        self._model, self._escapes = model, escapes

    def join(self, pieces: Sequence[str]) -> str:
        """Text of pieces; <unk> is ⁇, and what the model does not have stands as it is."""
        # the model leaves the spaces of pieces that it does not have
        text = self._model.decode(list(pieces)).replace(SPACE, " ").strip()
        return unescape_text(text) if self._escapes else text


class TargetDictionary(Dictionary):
    """The output dictionary, whose pieces are joined to text by their model.

    Attributes:
        join: from pieces to text.
        make_scorer: from fairseq's --scoring to what scores translations; None: fairseq's own scorers.
    """

    join: Callable[[Sequence[str]], str]
    make_scorer: "Callable[[object], BaseScorer] | None" = None

    def string(
        self,
        tensor: Tensor,
        bpe_symbol: str | None = None,
        escape_unk: bool = False,
        extra_symbols_to_ignore: Collection[int] | None = None,
        unk_string: str | None = None,
        include_eos: bool = False,
        separator: str = " ",
    ) -> str:
        """Pieces of ids (U,), or with --post-process, whatever it names, their text."""
        ignored = extra_symbols_to_ignore
        pieces: str = super().string(tensor, None, escape_unk, ignored, unk_string, include_eos, separator)
        return pieces if bpe_symbol in (None, "none") else FinishedText(self.join(pieces.split(separator)))


class SourceDictionary(Dictionary):
    """The joint input dictionary; what fairseq's commands show of a source are its pieces, of speech or of text."""

    def string(self, tensor: Tensor, bpe_symbol: str | None = None, escape_unk: bool = False) -> str:
        """Pieces of ids (T,), separated by spaces."""
        return FinishedText(super().string(tensor, None, escape_unk))
