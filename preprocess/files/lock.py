"""One run at a time on one output: a second one refuses and names the first.

The lock is the system's own (flock, on `.NAME.lock` beside the output): it ends with its process, however that ends,
so a killed run leaves none behind. On network file systems it holds between machines where the system offers that
(NFS since Linux 2.6.12); where a file system has no locks at all, a warning says so and the run goes on.
"""

import contextlib
import datetime
import fcntl
import logging
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..errors import OutputError

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the lock of the output `out` while the block runs.

    Raises:
        OutputError: another process holds it, or the folder of `out` cannot be written.
    """
    out = Path(out).resolve()  # whatever way it is spelled
    path = out.with_name(f".{out.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _acquire(path, out)
    except OSError as error:
        raise OutputError(f"cannot write {out}: {error.strerror} ({path})") from error
    with file:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)  # still locked: nobody else can have taken it


def _acquire(path: Path, out: Path) -> IO[str]:
    while True:
        file = open(path, "a+", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115 - the lock lasts as long as the file is open
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                file.seek(0)
                owner = file.read().strip() or "another process"
            raise OutputError(
                f"{out} is being made by {owner}", advice="wait until it has ended, or name another --out"
            ) from None
        except OSError as error:
            logger.warning("%s: no locks there (%s); see that no two runs write %s", path, error.strerror, out)
            return file
        if _is_still_there(file, path):
            file.truncate(0)
            file.write(_describe_this_process())
            file.flush()
            return file
        file.close()  # the run before removed it between our open and our lock


def _is_still_there(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _describe_this_process() -> str:
    since = datetime.datetime.now().isoformat(sep=" ", timespec="seconds")
    return f"process {os.getpid()} on {socket.gethostname()} since {since}: {shlex.join(sys.argv)}\n"
