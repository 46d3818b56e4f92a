"""A file of finished work, from which an interrupted stage goes on: a header line, then one line a batch, all JSON.

Whole batches, since a batch that is cut differently rounds differently: a run that goes on at the end of a batch
writes what an uninterrupted run would have written, to the byte.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from .errors import OutputError


@dataclass(frozen=True)
class JournalEntry:
    """Deduplicated units of one utterance, where they come from, the number of frames and the seconds of audio."""

    id: str
    source: str
    units: list[int]
    num_frames: int
    seconds: float


class Journal:
    """Batches of entries in the order of the utterances, with the system as soon as `append` returns.

    Use as a context manager: `resume`, then `append` what is missing.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        """`header` says what the entries were made with; a journal with another header is started anew."""
        self._path = Path(path)
        self._header = json.dumps(header, sort_keys=True).encode() + b"\n"
        self._file: BinaryIO | None = None

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def resume(self, utterances: Iterable[tuple[str, str]]) -> int:
        """Open for appending, keep what an earlier run finished, and return of how many utterances.

        Args:
            utterances: (id, source) of all, in order. From the first batch on that does not agree with them, or is
                not whole, the journal is dropped.

        Raises:
            OutputError: the journal cannot be written.
        """
        num_utterances, num_bytes = self._measure(utterances)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what `append` wrote is with the system, and closing after a full disk writes nothing more.
            self._file = open(self._path, "r+b" if num_bytes else "wb", buffering=0)  # noqa: SIM115
            self._file.truncate(num_bytes)
            self._file.seek(num_bytes)
        except OSError as error:
            raise self._output_error(error) from error
        if not num_bytes:
            self._write(self._header)
        return num_utterances

    def append(self, batch: Sequence[JournalEntry]) -> None:
        """Write one batch.

        Raises:
            OutputError: no space is left, or the file cannot be written; earlier batches are kept.
        """
        self._write(json.dumps([vars(entry) for entry in batch], ensure_ascii=False).encode() + b"\n")

    def entries(self) -> Iterator[JournalEntry]:
        """All entries, in order."""
        with open(self._path, "rb") as file:
            next(file)
            for line in file:
                yield from _parse(line)

    def remove(self) -> None:
        """Delete the file; its entries stand elsewhere now."""
        self._path.unlink(missing_ok=True)

    def _measure(self, utterances: Iterable[tuple[str, str]]) -> tuple[int, int]:
        """Number of utterances in usable batches, and bytes of the file up to the end of the last of them."""
        if not self._path.is_file():
            return 0, 0
        expected = iter(utterances)
        with open(self._path, "rb") as file:
            if next(file, b"") != self._header:
                return 0, 0
            num_utterances, num_bytes = 0, len(self._header)
            for line in file:
                batch = _parse(line)
                if not batch or any((entry.id, entry.source) != next(expected, None) for entry in batch):
                    break
                num_utterances, num_bytes = num_utterances + len(batch), num_bytes + len(line)
        return num_utterances, num_bytes

    def _write(self, line: bytes) -> None:
        if self._file is None:
            raise ValueError("call resume() before append()")
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            raise self._output_error(error) from error

    def _output_error(self, error: OSError) -> OutputError:
        return OutputError(
            f"cannot write {self._path}: {error.strerror}; what is finished is kept there, run again to go on"
        )


def _parse(line: bytes) -> list[JournalEntry]:
    """Empty for a damaged line: without its end after a kill, zeros after a power failure."""
    if not line.endswith(b"\n"):
        return []
    try:
        return [JournalEntry(**fields) for fields in json.loads(line)]
    except (ValueError, TypeError):
        return []
