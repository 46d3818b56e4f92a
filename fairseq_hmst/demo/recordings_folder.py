"""The folder of the recordings that are given to the page: its own, and gone with it.

It is beneath the system's folder of temporary files, for this user alone. What is older than some minutes is deleted,
everything when the page ends. A page that was killed leaves its folder, which the next page deletes: it has a lock that
nobody holds, since locks of files end with their process.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "hmst-demo-"
LOCK = ".hmst-demo-lock"


@contextlib.contextmanager
def recordings_folder(max_age_seconds: float) -> Iterator[Path]:
    """A new folder, of which Gradio makes its own; deleted after the block.

    Args:
        max_age_seconds: of files; they are deleted after at most twice this time.
    """
    delete_abandoned_folders()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # mode 0700
    before, has_ended = os.environ.get("GRADIO_TEMP_DIR"), threading.Event()
    with _hold(folder):
        sweeper = threading.Thread(target=_sweep, args=(folder, max_age_seconds, has_ended), daemon=True)
        sweeper.start()
        os.environ["GRADIO_TEMP_DIR"] = str(folder)
        try:
            yield folder
        finally:
            has_ended.set()
            os.environ.pop("GRADIO_TEMP_DIR")
            if before is not None:
                os.environ["GRADIO_TEMP_DIR"] = before
            shutil.rmtree(folder, ignore_errors=True)


def delete_abandoned_folders() -> None:
    """Delete the folders of this user's pages that have ended, however they ended."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
                continue
            with open(folder / LOCK, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
        except OSError:  # in use, or no folder of a page
            continue


def delete_older(folder: Path, seconds: float) -> None:
    """Delete what was written more than `seconds` ago, uploads that were not finished too."""
    oldest = time.time() - seconds
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before it
        if path == folder / LOCK:
            continue
        with contextlib.suppress(OSError):  # gone meanwhile, or a folder that is not empty
            if path.lstat().st_ctime < oldest:
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def bytes_in(folder: Path) -> int:
    """Bytes of all files in a folder."""
    count = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            count += path.lstat().st_size
    return count


@contextlib.contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which has its name only when it is held."""
    unheld = folder / f"{LOCK}.new"
    with open(unheld, "xb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unheld.rename(folder / LOCK)
        yield


def _sweep(folder: Path, max_age_seconds: float, has_ended: threading.Event) -> None:
    while not has_ended.wait(max_age_seconds):
        delete_older(folder, max_age_seconds)
