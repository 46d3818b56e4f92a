"""Filters that recipes use on training rows: length of the speech, and length of the texts against each other.

The length ratio is in characters. The target's length is divided by what the training texts have on the whole for one
character of source, so that a ratio of 1 is usual in every pair of languages; the longer stands above.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..errors import PreprocessError
from ..manifest import Utterance

LanguagePair = tuple[str, str]


@dataclass(frozen=True)
class Filters:
    """Limits that a row must keep; None: no limit."""

    min_seconds: float | None = None
    max_seconds: float | None = None
    max_length_ratio: float | None = None
    target_per_source: dict[LanguagePair, float] = field(default_factory=dict)  # characters; filled by `fitted`

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> "Filters":
        """The options of `add_filter_arguments`.

        Raises:
            PreprocessError: a limit lies outside its range.
        """
        low, high, ratio = arguments.min_seconds, arguments.max_seconds, arguments.max_length_ratio
        if low is not None and low < 0:
            raise PreprocessError(f"--min-seconds must be at least 0, got {low}")
        if high is not None and high <= (low or 0):
            raise PreprocessError(f"--max-seconds must lie above --min-seconds ({low or 0}), got {high}")
        if ratio is not None and ratio <= 1:
            raise PreprocessError(f"--max-length-ratio must lie above 1, got {ratio}")
        return cls(low, high, ratio)

    def fitted(self, utterances: Iterable[Utterance]) -> "Filters":
        """These filters with the usual length of target text, taken from `utterances`, for each pair of languages."""
        source_lengths: Counter[LanguagePair] = Counter()
        target_lengths: Counter[LanguagePair] = Counter()
        for utterance in utterances:
            if utterance.src_text and utterance.tgt_text:
                pair = utterance.src_lang, utterance.tgt_lang
                source_lengths[pair] += len(utterance.src_text)
                target_lengths[pair] += len(utterance.tgt_text)
        return replace(
            self, target_per_source={pair: target_lengths[pair] / source_lengths[pair] for pair in source_lengths}
        )

    def reason(self, utterance: Utterance, seconds: float | None) -> str:
        """Name of the first limit that a row breaks; "" if it keeps them all.

        Args:
            utterance: the row; one without source text has no length ratio.
            seconds: length of its speech; None where it is not known or there is none.
        """
        if seconds is not None and self.min_seconds is not None and seconds < self.min_seconds:
            return f"shorter than {self.min_seconds:g} s"
        if seconds is not None and self.max_seconds is not None and seconds > self.max_seconds:
            return f"longer than {self.max_seconds:g} s"
        if self.max_length_ratio is not None and self._length_ratio(utterance) > self.max_length_ratio:
            return f"length ratio above {self.max_length_ratio:g}"
        return ""

    def _length_ratio(self, utterance: Utterance) -> float:
        if not (utterance.src_text and utterance.tgt_text):
            return 1.0
        usual = self.target_per_source[utterance.src_lang, utterance.tgt_lang]
        ratio = len(utterance.tgt_text) / usual / len(utterance.src_text)
        return max(ratio, 1 / ratio)


def add_filter_arguments(parser: argparse.ArgumentParser) -> None:
    """The options --min-seconds, --max-seconds and --max-length-ratio."""
    group = parser.add_argument_group(
        "filters", "of rows of train; dev and test sets are never filtered; without an option there is no limit"
    )
    group.add_argument("--min-seconds", type=float, metavar="S", help="leave out shorter speech; recipes use 0.1")
    group.add_argument("--max-seconds", type=float, metavar="S", help="leave out longer speech; recipes use 20")
    group.add_argument(
        "--max-length-ratio",
        type=float,
        metavar="R",
        help="leave out rows whose texts are this much longer or shorter against each other than usual; recipes use 4",
    )
