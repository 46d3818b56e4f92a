"""The text of a stream, put together of the translations of its segments; what was written is never changed."""

from collections.abc import Sequence

from ..data.data_bin import DataBin
from .open_segment import Passage


class WrittenText:
    """Takes passages, and says what they add.

    Args:
        data_bin: makes text of pieces.

    Attributes:
        open: text behind what is certain, that may still change.
    """

    def __init__(self, data_bin: DataBin) -> None:
        self._data_bin, self._symbols = data_bin, data_bin.target_dictionary.symbols
        self._has_text = False
        self._segment = ""  # of the open segment, as it was written
        self._new = ""
        self.open = ""

    def show(self, passage: Passage) -> None:
        """Write what is certain of the open segment; the rest is open."""
        pieces = [self._symbols[label] for label in passage.labels]
        whole = self._data_bin.join_target(pieces)
        certain = self._stable_text(pieces[: passage.num_certain], whole)
        space = " " if self._has_text and not self._segment and whole else ""
        added, rest = certain[len(self._segment) :], whole[max(len(certain), len(self._segment)) :]
        if added:
            self._new += space + added
            space, self._has_text = "", True
            self._segment += added
        self.open = space + rest if rest else ""

    def end_segment(self, passage: Passage) -> None:
        """Write all of the open segment, after which another may begin."""
        self.show(passage)
        self._segment, self.open = "", ""

    def take(self) -> str:
        """Text that was written since the last call."""
        taken, self._new = self._new, ""
        return taken

    def _stable_text(self, certain: Sequence[str], whole: str) -> str:
        """Text of certain pieces, without those at their end whose text the pieces behind them change."""
        texts = (self._data_bin.join_target(certain[:number]) for number in range(len(certain), -1, -1))
        return next(text for text in texts if whole.startswith(text))
