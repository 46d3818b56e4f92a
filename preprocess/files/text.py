"""Sentences, alone and in pairs: how they are normalised, compared in length, and read from parallel files."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from ..errors import ManifestError
from .reading.lines import Line, read_lines


class TextPair(NamedTuple):
    """A sentence and its translation, both normalised."""

    name: str  # utterance id, or FILE:LINE of external text
    source: str
    target: str
    source_language: str
    target_language: str


def normalise_text(text: str) -> str:
    """Unicode NFC, white space collapsed to single spaces; nothing else is changed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


LanguagePair = tuple[str, str]  # source, target


@dataclass(frozen=True)
class UsualLengths:
    """Characters of target text that are usual for one of source text, by pair of languages; 1 where not known."""

    target_per_source: Mapping[LanguagePair, float] = field(default_factory=dict)

    @classmethod
    def of_pairs(cls, pairs: Iterable[TextPair]) -> "UsualLengths":
        """Usual lengths of texts that are translations of each other; pairs with an empty side do not count."""
        source_lengths: Counter[LanguagePair] = Counter()
        target_lengths: Counter[LanguagePair] = Counter()
        for pair in pairs:
            if pair.source and pair.target:
                languages = pair.source_language, pair.target_language
                source_lengths[languages] += len(pair.source)
                target_lengths[languages] += len(pair.target)
        return cls({languages: target_lengths[languages] / source_lengths[languages] for languages in source_lengths})

    def length_ratio(self, pair: TextPair) -> float:
        """Number of times that the texts are longer or shorter than usual against each other; 1 if one is empty."""
        if not (pair.source and pair.target):
            return 1.0
        usual = self.target_per_source.get((pair.source_language, pair.target_language), 1.0)
        ratio = len(pair.target) / usual / len(pair.source)
        return max(ratio, 1 / ratio)


def read_parallel(source_path: Path, target_path: Path) -> Iterator[tuple[Line, Line]]:
    """Yield the lines of two files in pairs. Line n of one is the translation of line n of the other.

    Raises:
        ManifestError: a file cannot be read; both names and numbers for unequal or empty files.
    """
    num_lines = [0, 0]
    for source, target in zip_longest(read_lines(source_path), read_lines(target_path)):
        num_lines[0] += source is not None
        num_lines[1] += target is not None
        if source is not None and target is not None:
            yield source, target
    if num_lines[0] != num_lines[1]:
        raise ManifestError(
            f"{source_path} has {num_lines[0]} lines, {target_path} has {num_lines[1]}: "
            "line n of one must be the translation of line n of the other"
        )
    if num_lines[0] == 0:
        raise ManifestError(f"{source_path} and {target_path} are empty; expected one sentence a line")


def align_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose columns are aligned at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
