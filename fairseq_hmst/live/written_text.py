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
        self._segment, self._num_tokens = "", 0  # of the open segment, as it was written
        self._new, self._new_tokens = "", list[str]()
        self.open = ""

    def show(self, passage: Passage) -> None:
        """Write what is certain of the open segment; the rest is open."""
        pieces = [self._symbols[label] for label in passage.labels]
        whole = self._data_bin.join_target(pieces)
        number = self._num_stable(pieces, passage.num_certain, whole)
        certain = whole if number == len(pieces) else self._data_bin.join_target(pieces[:number])
        space = " " if self._has_text and not self._segment and whole else ""
        added, rest = certain[len(self._segment) :], whole[max(len(certain), len(self._segment)) :]
        if added:
            self._new += space + added
            space, self._has_text = "", True
            self._segment += added
        self._new_tokens += pieces[self._num_tokens : number]
        self._num_tokens = max(number, self._num_tokens)
        self.open = space + rest if rest else ""

    def end_segment(self, passage: Passage) -> None:
        """Write all of the open segment, after which another may begin."""
        self.show(passage)
        self._segment, self._num_tokens, self.open = "", 0, ""

    def take(self) -> tuple[str, tuple[str, ...]]:
        """Text that was written since the last call, and its pieces."""
        taken = self._new, tuple(self._new_tokens)
        self._new, self._new_tokens = "", []
        return taken

    def _num_stable(self, pieces: Sequence[str], num_certain: int, whole: str) -> int:
        """Number of certain pieces whose text no piece behind them changes."""
        number = num_certain
        while number > self._num_tokens and not whole.startswith(self._data_bin.join_target(pieces[:number])):
            number -= 1
        return number
