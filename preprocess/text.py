"""Plain and parallel text files: one sentence a line, normalised and checked on the way in."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from .errors import ManifestError


def normalise_text(text: str) -> str:
    """Unicode NFC, white space collapsed to single spaces; nothing else is changed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


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
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from error


def check_parallel(source_path: Path, target_path: Path) -> int:
    """Check that two files have as many lines as each other, none of them empty; return their number.

    Raises:
        ManifestError: `FILE:LINE: ...` for an empty line; both names and numbers for unequal files.
    """
    num_lines = [0, 0]
    for lines in zip_longest(read_text(source_path), read_text(target_path)):
        for side, path in enumerate((source_path, target_path)):
            if lines[side] is None:
                continue
            num_lines[side], text = lines[side]
            if not text:
                raise ManifestError(
                    f"{path}:{num_lines[side]}: the line is empty; leave out the pair in both files "
                    f"({source_path} and {target_path})"
                )
    if num_lines[0] != num_lines[1]:
        raise ManifestError(
            f"{source_path} has {num_lines[0]} lines, {target_path} has {num_lines[1]}: "
            "line n of one must be the translation of line n of the other"
        )
    if num_lines[0] == 0:
        raise ManifestError(f"{source_path} and {target_path} are empty; expected one sentence a line")
    return num_lines[0]


def read_parallel(paths: Sequence[tuple[Path, Path]]) -> Iterator[tuple[str, str, str]]:
    """Yield (`SOURCE_FILE:LINE`, source, target) of file pairs that passed `check_parallel`."""
    for source_path, target_path in paths:
        for (line_number, source), (_, target) in zip(read_text(source_path), read_text(target_path), strict=True):
            yield f"{source_path}:{line_number}", source, target


def _decode(line: bytes, location: str, is_first: bool) -> str:
    try:
        return line.decode("utf-8-sig" if is_first else "utf-8")
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"{location}: expected UTF-8, found the byte 0x{line[error.start]:02X}; convert the file"
        ) from error
