"""Cluster ids as sequences: run-length de-duplication, one character a unit, and the units file; numpy only.

A units file (`*.units`, UTF-8) holds one line an utterance: `id<TAB>space-separated deduplicated unit ids`.
Who makes one from audio is the stage `speech_to_units`.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ..errors import UnitsError

# Supplementary Private Use Area-A, U+F0000 to U+FFFFD: no script of any source language can collide with a unit.
FIRST_CHARACTER: Final = 0xF0000
MAX_UNITS = 0xFFFFD - FIRST_CHARACTER + 1


def deduplicate(units: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make each run of one unit into a single unit.

    Args:
        units: (T,) cluster ids, one a frame; may be empty.

    Returns:
        deduplicated_units: (U,) int64, no two neighbours equal.
        run_lengths: (U,) int64, frames in each run; they sum to T.
    """
    units = np.asarray(units, dtype=np.int64)
    starts = np.flatnonzero(np.diff(units, prepend=units[:1] - 1))
    return units[starts], np.diff(starts, append=len(units))


def check_deduplicated(units: Sequence[int], name: str = "the line") -> None:
    """Refuse units of which two neighbours are equal.

    Args:
        units: (U,) cluster ids.
        name: what holds them, for the error.

    Raises:
        UnitsError: a unit stands twice in a row.
    """
    for position in range(1, len(units)):
        if units[position] == units[position - 1]:
            raise UnitsError(
                f"{name} is not deduplicated: unit {units[position]} stands twice in a row (positions {position} and "
                f"{position + 1})",
                advice="make runs into one unit first",
            )


def expand(deduplicated_units: Sequence[int] | np.ndarray, run_lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    """Inverse of `deduplicate`: (U,) units and (U,) run lengths in frames to (T,) int64 units."""
    return np.repeat(np.asarray(deduplicated_units, dtype=np.int64), np.asarray(run_lengths, dtype=np.int64))


def units_to_text(units: Iterable[int]) -> str:
    """Write each unit as one private-use character, for SentencePiece.

    Raises:
        UnitsError: a unit lies outside 0..MAX_UNITS - 1.
    """
    units = [int(unit) for unit in units]
    for unit in units:
        if not 0 <= unit < MAX_UNITS:
            raise UnitsError(f"a unit must lie in 0..{MAX_UNITS - 1}, got {unit}")
    return "".join(chr(FIRST_CHARACTER + unit) for unit in units)


def text_to_units(text: str) -> list[int]:
    """Inverse of `units_to_text`.

    Raises:
        UnitsError: a character does not stand for a unit.
    """
    units = [ord(character) - FIRST_CHARACTER for character in text]
    for position, unit in enumerate(units):
        if not 0 <= unit < MAX_UNITS:
            character = text[position]
            raise UnitsError(f"character {position} does not stand for a unit: {character!r} (U+{ord(character):04X})")
    return units


def format_units(utterance_id: str, deduplicated_units: Iterable[int]) -> str:
    """One line of a units file, line end included."""
    return f"{utterance_id}\t{' '.join(str(unit) for unit in deduplicated_units)}\n"


def read_units(path: Path) -> Iterator[tuple[str, list[int]]]:
    """Yield (id, deduplicated units) of each line of a units file; only the ids are kept in memory.

    Raises:
        UnitsError: the file is missing or empty; or (`FILE:LINE: ...`) a line is not `id<TAB>units`, an id occurs
            twice, a unit is no number in 0..MAX_UNITS - 1, or two neighbouring units are equal.
    """
    first_lines: dict[str, int] = {}
    for line_number, line in enumerate(_read_lines(path), start=1):
        location = f"{path}:{line_number}"
        utterance_id, units = _parse_line(line, location)
        if utterance_id in first_lines:
            raise UnitsError(f"id '{utterance_id}' stands in line {first_lines[utterance_id]} already", place=location)
        first_lines[utterance_id] = line_number
        yield utterance_id, units
    if not first_lines:
        raise UnitsError("holds no units; expected lines of `id<TAB>space-separated unit ids`", place=path)


def _read_lines(path: Path) -> Iterator[str]:
    try:
        # Only at line feeds: an id may hold other separators.
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UnitsError(f"cannot be read as a units file: {error}", place=path) from error


def _parse_line(line: str, location: str) -> tuple[str, list[int]]:
    fields = line.rstrip("\r").split("\t")
    if len(fields) != 2 or not fields[0]:
        raise UnitsError(f"expected `id<TAB>space-separated unit ids`, found {line[:80]!r}", place=location)
    utterance_id, unit_text = fields
    try:
        units = [int(unit) for unit in unit_text.split()]
    except ValueError as error:
        raise UnitsError(f"units of '{utterance_id}' must be whole numbers: {error}", place=location) from error
    if not units:
        raise UnitsError(f"'{utterance_id}' has no units", place=location)
    if min(units) < 0 or max(units) >= MAX_UNITS:
        raise UnitsError(
            f"units of '{utterance_id}' must lie in 0..{MAX_UNITS - 1}, found {min(units)}..{max(units)}",
            place=location,
        )
    try:
        check_deduplicated(units, f"'{utterance_id}'")
    except UnitsError as error:
        raise error.at(location) from None
    return utterance_id, units
