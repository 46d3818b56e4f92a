"""SHA-256 of files and texts, in hexadecimal."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from .program.progress import show_progress

CHUNK_BYTES = 1 << 20


def hash_file(path: Path, report: Callable[[int], object] | None = None) -> str:
    """SHA-256 of a file's bytes; `report` is told of bytes that were read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            if report is not None:
                report(len(chunk))
    return digest.hexdigest()


def hash_all(paths: Iterable[Path], description: str) -> dict[Path, str]:
    """SHA-256 of each file; `description` is shown where that takes long."""
    paths = list(paths)
    with show_progress(description, "B", sum(path.stat().st_size for path in paths), scale=True) as progress:
        return {path: hash_file(path, progress.update) for path in paths}


def hash_text(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
