"""Plain and parallel text files: one sentence a line, normalised and checked on the way in."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from ..errors import ManifestError


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


def read_text(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, normalised line) for each line of a UTF-8 file; empty lines are yielded as "".

    Raises:
        ManifestError: `FILE:LINE: ...`; the file cannot be read or is not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            # Binary: in text mode a lone carriage return would count as a line end.
            for line_number, line in enumerate(file, start=1):
                yield line_number, normalise_text(_decode(line, f"{path}:{line_number}", is_first=line_number == 1))
    except OSError as error:
        raise ManifestError(f"cannot be read: {error.strerror}", place=path) from error


def read_parallel(source_path: Path, target_path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (`SOURCE_FILE:LINE`, source, target) of two files. Line n of one is the translation of line n of the other.

    Raises:
        ManifestError: `FILE:LINE: ...` for an empty line; both names and numbers for unequal or empty files.
    """
    num_lines = [0, 0]
    for lines in zip_longest(read_text(source_path), read_text(target_path)):
        for side, path in enumerate((source_path, target_path)):
            if lines[side] is None:
                continue
            num_lines[side], text = lines[side]
            if not text:
                raise ManifestError(
                    "the line is empty",
                    place=f"{path}:{num_lines[side]}",
                    advice=f"leave out the pair in both files ({source_path} and {target_path})",
                )
        if None not in lines:
            yield f"{source_path}:{num_lines[0]}", lines[0][1], lines[1][1]
    if num_lines[0] != num_lines[1]:
        raise ManifestError(
            f"{source_path} has {num_lines[0]} lines, {target_path} has {num_lines[1]}: "
            "line n of one must be the translation of line n of the other"
        )
    if num_lines[0] == 0:
        raise ManifestError(f"{source_path} and {target_path} are empty; expected one sentence a line")


def _decode(line: bytes, location: str, is_first: bool) -> str:
    try:
        return line.decode("utf-8-sig" if is_first else "utf-8")
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"expected UTF-8, found the byte 0x{line[error.start]:02X}",
            place=location,
            advice="convert the file",
        ) from error


def align_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose columns are aligned at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
