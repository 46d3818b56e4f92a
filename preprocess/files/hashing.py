"""SHA-256 of files and texts, in hexadecimal."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ..errors import MismatchError


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_text(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_hashes(folder: Path, hashes: Mapping[str, str]) -> None:
    """Compare files with their recorded hashes.

    Args:
        folder: of the files.
        hashes: SHA-256 by name of file, as a card has them.

    Raises:
        MismatchError: a file is missing, or has changed since it was recorded.
    """
    for name, expected in hashes.items():
        path = Path(folder) / name
        if not path.is_file():
            raise MismatchError("is missing, though its card names it", place=path, advice="make the output again")
        found = hash_file(path)
        if found != expected:
            raise MismatchError(
                f"has changed since it was made: its card says sha256 {expected[:12]}, found {found[:12]}",
                place=path,
                advice="make the output again, or put the original file back",
            )
