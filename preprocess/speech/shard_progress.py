"""Progress within shards, told across processes and machines by the sizes of files beside the results."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ..files.program.progress import polled, show_progress

SUFFIX = ".progress"


class SecondsDone:
    """Seconds of a shard that a worker has done: its file gets a byte for each. It is there while the context lasts.

    It is of no weight: where the file cannot be written, nothing is told.
    """

    def __init__(self, result: Path) -> None:
        """`result` is the file that the shard will become."""
        self._path = result.with_suffix(SUFFIX)
        self._seconds = 0.0
        self._told = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def add(self, seconds: float) -> None:
        """Tell that more seconds are done."""
        self._seconds += seconds
        if int(self._seconds) > self._told:
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with open(self._path, "ab" if self._told else "wb", buffering=0) as file:
                    file.write(b"." * (int(self._seconds) - self._told))
            self._told = int(self._seconds)


@contextlib.contextmanager
def shown_progress(description: str, shards: Mapping[Path, float]) -> Iterator[None]:
    """Show how many seconds of shards are done, while others make them.

    Args:
        description: of the work.
        shards: the results, all in one folder, and the seconds of each.
    """
    folder = next(iter(shards)).parent
    seconds = {path.name: length for path, length in shards.items()}
    for leftover in folder.glob(f"*{SUFFIX}"):  # of a run that was killed
        leftover.unlink(missing_ok=True)
    done = round(_seconds_done(folder, seconds))
    with show_progress(description, "s", round(sum(seconds.values())), done=done) as progress:

        def report() -> None:
            # Never back: between its last byte and its result a shard is not seen for a moment.
            progress.update(max(0, round(_seconds_done(folder, seconds)) - progress.n))

        with polled(report):
            yield


def _seconds_done(folder: Path, seconds: Mapping[str, float]) -> float:
    """Seconds of finished shards and of those that are being made."""
    total = 0.0
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX):
                with contextlib.suppress(FileNotFoundError):
                    total += entry.stat().st_size
            else:
                total += seconds.get(entry.name, 0.0)
    return total
