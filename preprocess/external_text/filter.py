"""Filters of external text: languages, lengths, and the sentences of dev and test."""

from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import PreprocessError
from ..files.program.options import option
from ..files.text import TextPair, UsualLengths

GROUP = "external text, for train only"


def _limit(left_out: str) -> Any:
    return option(f"leave out pairs {left_out}", None, metavar="N", group=GROUP)


@dataclass(frozen=True)
class PairLimits:
    """Lengths that pairs of external text must keep to; None: no limit."""

    mt_min_words: int | None = _limit("with fewer words than N on a side")
    mt_max_words: int | None = _limit("with more words than N on a side")
    mt_min_characters: int | None = _limit("with fewer characters than N on a side")
    mt_max_characters: int | None = _limit("with more characters than N on a side")
    mt_max_length_ratio: float | None = _limit(
        "whose texts are N times longer or shorter against each other than the manifests' are"
    )

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            PreprocessError: a limit lies outside its range.
        """
        for name, limit in self.given.items():
            if limit < 1:
                raise PreprocessError(f"{_flag(name)} must be at least 1, got {limit}")
        for kind in ("words", "characters"):
            smallest, largest = self.given.get(f"min_{kind}", 1), self.given.get(f"max_{kind}", float("inf"))
            if smallest > largest:
                raise PreprocessError(
                    f"{_flag(f'min_{kind}')} {smallest} is above {_flag(f'max_{kind}')} {largest}: nothing is left"
                )

    @property
    def given(self) -> dict[str, int | float]:
        """Limits that are set, by name without `mt_`."""
        return {name.removeprefix("mt_"): limit for name, limit in asdict(self).items() if limit is not None}


@dataclass(frozen=True)
class PairFilter:
    """Says which pairs of external text are left out.

    Attributes:
        evaluation_texts: normalised; a pair with one of them on either side is left out.
        limits: of lengths.
        usual_lengths: of the manifests' texts against each other.
    """

    evaluation_texts: frozenset[str]
    limits: PairLimits = field(default_factory=PairLimits)
    usual_lengths: UsualLengths = field(default_factory=UsualLengths)

    def reason_to_drop(self, pair: TextPair) -> str:
        """The first reason that holds, in the order below; "" if the pair is kept."""
        if not (pair.source_language and pair.target_language):
            return "other languages"
        if not (pair.source and pair.target):
            return "empty"
        if pair.source in self.evaluation_texts or pair.target in self.evaluation_texts:
            return "in dev or test"
        return self._reason_of_length(pair)

    def _reason_of_length(self, pair: TextPair) -> str:
        limits = self.limits
        characters = sorted(map(len, (pair.source, pair.target)))
        words = sorted(len(text.split()) for text in (pair.source, pair.target))
        for (shorter, longer), smallest, largest in (
            (words, limits.mt_min_words, limits.mt_max_words),
            (characters, limits.mt_min_characters, limits.mt_max_characters),
        ):
            if smallest is not None and shorter < smallest:
                return "too short"
            if largest is not None and longer > largest:
                return "too long"
        ratio = limits.mt_max_length_ratio
        return "length ratio" if ratio is not None and self.usual_lengths.length_ratio(pair) > ratio else ""


def _flag(name: str) -> str:
    return f"--mt-{name.replace('_', '-')}"
