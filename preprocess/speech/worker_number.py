"""The number of a worker process among those of its parent: the lowest that no living one has.

A worker holds a lock (flock) on a file of its number for as long as it lives. So one that takes the place of another,
as happens to joblib's when they have grown by too much memory, takes its number too.
"""

import atexit
import fcntl
import functools
import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

_held: list[IO[str]] = []  # the file of this process's number; its lock lasts as long as it is open


def folder_of_numbers() -> Path:
    """The folder of the files of this process's workers; it is there as long as this process lives."""
    return _folder_of(os.getpid())


@functools.lru_cache(maxsize=1)
def _folder_of(process: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hmst-workers-"))

    def remove() -> None:
        if os.getpid() == process:  # not at the end of a fork
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def take_number(folder: Path) -> None:
    """Take a number, as a worker of the process with this folder; one that this process has stays."""
    for number in itertools.count() if not _held else ():
        file = open(folder / str(number), "a")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
        else:
            _held.append(file)
            break


def own_number() -> int | None:
    """The number of this process; None where it has taken none."""
    return int(Path(_held[0].name).name) if _held else None
