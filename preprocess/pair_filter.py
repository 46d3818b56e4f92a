"""Which pairs of external text are left out, and for what reason: their languages, lengths, or dev and test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import PreprocessError
from .text import TextPair

# name: (type, what is left out)
LIMITS = {
    "min_words": (int, "with fewer words than N on a side"),
    "max_words": (int, "with more words than N on a side"),
    "min_characters": (int, "with fewer characters than N on a side"),
    "max_characters": (int, "with more characters than N on a side"),
    "max_length_ratio": (float, "whose texts are N times longer or shorter against each other than the manifests' are"),
}


@dataclass(frozen=True)
class PairFilter:
    """The limits that are set (None: no limit), and the sentences that must not be learned."""

    evaluation_texts: frozenset[str]  # normalised; a pair with one of them on either side is left out
    min_words: int | None = None
    max_words: int | None = None
    min_characters: int | None = None
    max_characters: int | None = None
    max_length_ratio: float | None = None
    # characters of target for one of source that are usual, by (source, target) language; 1 where it is not known
    target_per_source: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, limit in self.limits.items():
            if limit < 1:
                raise PreprocessError(f"{_option(name)} must be at least 1, got {limit}")
        for kind in ("words", "characters"):
            smallest, largest = self.limits.get(f"min_{kind}", 1), self.limits.get(f"max_{kind}", float("inf"))
            if smallest > largest:
                raise PreprocessError(
                    f"{_option(f'min_{kind}')} {smallest} is above {_option(f'max_{kind}')} {largest}: nothing is left"
                )

    @property
    def limits(self) -> dict[str, Any]:
        """The limits that are set."""
        return {name: getattr(self, name) for name in LIMITS if getattr(self, name) is not None}

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
        characters = sorted(map(len, (pair.source, pair.target)))
        words = sorted(len(text.split()) for text in (pair.source, pair.target))
        for (shorter, longer), smallest, largest in (
            (words, self.min_words, self.max_words),
            (characters, self.min_characters, self.max_characters),
        ):
            if smallest is not None and shorter < smallest:
                return "too short"
            if largest is not None and longer > largest:
                return "too long"
        if self.max_length_ratio is not None and self._length_ratio(pair) > self.max_length_ratio:
            return "length ratio"
        return ""

    def _length_ratio(self, pair: TextPair) -> float:
        usual = self.target_per_source.get((pair.source_language, pair.target_language), 1.0)
        ratio = len(pair.target) / usual / len(pair.source)
        return max(ratio, 1 / ratio)


def _option(name: str) -> str:
    return f"--mt-{name.replace('_', '-')}"
