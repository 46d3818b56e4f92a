"""Hashes of many files, kept in a file; what was not touched since is not read again."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ...errors import FileError
from ..hashing import hash_file
from ..program.progress import show_progress
from ..reading.escaping import to_json
from ..reading.json_file import read_json
from ..whole import whole_file

# A file that was changed just now may be changed once more within one tick of its file system's clock.
SETTLED_SECONDS = 2.0


class FileHashes:
    """SHA-256 of many files, kept in a file; one is read again only if its size or time of change is another.

    Paths are kept relative to the folder of that file, so that it can be moved together with the others.
    """

    def __init__(self, path: Path, is_writer: bool = True) -> None:
        """Read what is kept in `path`; a file that is missing or broken counts as empty.

        Args:
            path: of the file.
            is_writer: of several processes that use one file, one alone may write it.
        """
        self._path, self._is_writer = path, is_writer
        try:
            self._kept = read_json(path, dict[str, tuple[int, int, str]])
        except FileError:
            self._kept = {}

    def find(self, paths: Iterable[Path], description: str) -> dict[Path, str]:
        """SHA-256 of each file, "missing" where there is none; `description` is shown while files are read."""
        hashes: dict[Path, str] = {}
        unknown: dict[Path, os.stat_result] = {}
        for path in paths:
            if not path.is_file():
                hashes[path] = "missing"
                continue
            status = path.stat()
            size, changed, known = self._kept.get(self._name(path), (-1, 0, ""))
            if (size, changed) == (status.st_size, status.st_mtime_ns):
                hashes[path] = known
            else:
                unknown[path] = status
        if unknown:
            try:
                hashes |= self._read(unknown, description)
            finally:  # what was read before an interruption is kept
                self._keep()
        return hashes

    def _read(self, files: Mapping[Path, os.stat_result], description: str) -> dict[Path, str]:
        hashes = {}
        total = sum(status.st_size for status in files.values())
        with show_progress(description, "B", total, scale=True) as progress:
            for path, status in files.items():
                hashes[path] = hash_file(path, progress.update)
                if time.time_ns() - status.st_mtime_ns > SETTLED_SECONDS * 1e9:
                    self._kept[self._name(path)] = (status.st_size, status.st_mtime_ns, hashes[path])
        return hashes

    def _keep(self) -> None:
        if self._is_writer:
            with whole_file(self._path) as temporary:
                temporary.write_text(to_json(self._kept), encoding="utf-8")

    def _name(self, path: Path) -> str:
        return os.path.relpath(path, self._path.parent)
