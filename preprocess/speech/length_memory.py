"""Lengths of audio that were found, kept in a file: a stage that is started again does not look for them again."""

import contextlib
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from ..files.cards.card import DATA_VERSION
from .frames import AudioSpan


def stamp_of(path: Path) -> str:
    """The file, its size and the time of its last change: another stamp, other audio."""
    try:
        status = path.stat()
    except OSError:
        return f"{path} missing"
    return f"{path} {status.st_size} {status.st_mtime_ns}"


class LengthMemory:
    """Seconds by stretch of audio, at speed 1; lines of its file are `KEY SECONDS CHECKSUM`."""

    def __init__(self, seconds: dict[str, float], file: IO[str] | None) -> None:
        """`file` is where more lengths are written; None: nowhere."""
        self._seconds, self._file = seconds, file

    @classmethod
    @contextmanager
    def kept_in(cls, path: Path) -> Iterator[Self]:
        """Open the memory of a file, which is made where there is none."""
        with contextlib.ExitStack() as stack:
            file = None
            with contextlib.suppress(OSError):  # it saves time, no more
                path.parent.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(open(path, "a+", encoding="ascii", errors="replace"))
            yield cls({} if file is None else _read(file), file)

    def get(self, span: AudioSpan) -> float | None:
        """Seconds of a span; None where they are not known."""
        return self._seconds.get(_key(span))

    def add(self, span: AudioSpan, seconds: float) -> None:
        """Keep what was found."""
        self._seconds[_key(span)] = seconds  # the same stretch may come again, at another speed
        if self._file is not None:
            with contextlib.suppress(OSError):
                entry = f"{_key(span)} {seconds!r}"
                self._file.write(f"{entry} {_checksum(entry)}\n")


def _read(file: IO[str]) -> dict[str, float]:
    file.seek(0)
    found = {}
    for line in file:
        entry, _, checksum = line.removesuffix("\n").rpartition(" ")
        if checksum == _checksum(entry):  # else damaged, or not written to its end
            key, _, seconds = entry.partition(" ")
            found[key] = float(seconds)
    file.write("\n")  # ends a line that was not written to its end
    return found


def _checksum(entry: str) -> str:
    return f"{zlib.crc32(entry.encode()):08x}"


def _key(span: AudioSpan) -> str:
    what = f"{DATA_VERSION} {stamp_of(span.audio)} {span.offset} {span.duration}"
    return hashlib.sha256(what.encode("utf-8", "surrogateescape")).hexdigest()[:32]
