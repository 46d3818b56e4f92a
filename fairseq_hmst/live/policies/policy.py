"""The interface of policies: a view of the open segment in, a number of labels out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Heard:
    """The open segment at a decision point, and its best translation so far.

    Attributes:
        labels: U tokens of the best hypothesis, without language symbol and end of sentence.
        num_committed: leading labels that were committed before, and that it therefore begins with.
        num_sure: leading tokens of the source that lie behind the look-ahead and that no sound to come can change.
        find_alignment: (U, T) share of each source token in each label, rows summing to 1, by the head that decodes.
        find_ctc_log_probs: (T, V) log-probabilities of CTC on the translation, and the id of its blank.
        is_speech: (T,) bool, True at source tokens that hold speech.
    """

    labels: tuple[int, ...]
    num_committed: int
    num_sure: int
    find_alignment: Callable[[], Tensor]
    find_ctc_log_probs: Callable[[], tuple[Tensor, int]]
    is_speech: Tensor


class Policy(Protocol):
    """Decides at each decision point of one segment; a new one is made for each segment."""

    def num_certain(self, heard: Heard) -> int:
        """Leading labels that may be committed, `num_committed` or more."""
        ...
