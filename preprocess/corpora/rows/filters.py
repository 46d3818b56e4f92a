"""Filters that recipes use on training rows: length of the speech, and length of the texts against each other.

The length ratio is in characters. The target's length is divided by what the training texts have on the whole for one
character of source, so that a ratio of 1 is usual in every pair of languages; of two lengths the longer is divided by
the shorter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ...errors import PreprocessError
from ...files.manifest import Utterance
from ...files.program.options import option
from ...files.text import UsualLengths

GROUP = "filters of rows of train; dev and test sets are never filtered; without an option there is no limit"


@dataclass(frozen=True)
class FilterOptions:
    """Limits that a row of train must keep; None: no limit."""

    min_seconds: float | None = option("leave out shorter speech; recipes use 0.1", None, metavar="S", group=GROUP)
    max_seconds: float | None = option("leave out longer speech; recipes use 20", None, metavar="S", group=GROUP)
    max_length_ratio: float | None = option(
        "leave out rows whose texts are this much longer or shorter against each other than usual; recipes use 4",
        None,
        metavar="R",
        group=GROUP,
    )

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            PreprocessError: a limit lies outside its range.
        """
        low, high, ratio = self.min_seconds, self.max_seconds, self.max_length_ratio
        if low is not None and low < 0:
            raise PreprocessError(f"--min-seconds must be at least 0, got {low}")
        if high is not None and high <= (low or 0):
            raise PreprocessError(f"--max-seconds must lie above --min-seconds ({low or 0}), got {high}")
        if ratio is not None and ratio <= 1:
            raise PreprocessError(f"--max-length-ratio must lie above 1, got {ratio}")


@dataclass(frozen=True)
class Filters:
    """Says which rows are left out.

    Attributes:
        limits: that a row must keep.
        usual_lengths: of texts against each other; filled by `fitted`.
    """

    limits: FilterOptions = field(default_factory=FilterOptions)
    usual_lengths: UsualLengths = field(default_factory=UsualLengths)

    def fitted(self, utterances: Iterable[Utterance]) -> "Filters":
        """These filters with the usual length of target text, taken from `utterances`."""
        return replace(self, usual_lengths=UsualLengths.of_pairs(row.text_pair for row in utterances))

    def reason(self, utterance: Utterance, seconds: float | None) -> str:
        """Name of the first limit that a row breaks; "" if it keeps them all.

        Args:
            utterance: the row; one without source text has no length ratio.
            seconds: length of its speech; None where it is not known or there is none.
        """
        low, high, ratio = self.limits.min_seconds, self.limits.max_seconds, self.limits.max_length_ratio
        if seconds is not None and low is not None and seconds < low:
            return f"shorter than {low:g} s"
        if seconds is not None and high is not None and seconds > high:
            return f"longer than {high:g} s"
        if ratio is not None and self.usual_lengths.length_ratio(utterance.text_pair) > ratio:
            return f"length ratio above {ratio:g}"
        return ""
