"""Commands that die at a chosen change of a file, in this process: what they leave is what SIGKILL would leave.

Changes are what Python's audit events tell of a folder: a file opened to write it, a rename, a removal, a folder made
or removed. A command that is to die at its n-th change gets `Killed` there, and again at every later
change, so that nothing that it does on its way out reaches the disk. A file that it was opening is left empty.
"""

import errno
import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# By audit event, the places of the path and of the descriptor of the folder that it is relative to.
PATHS = {
    "os.rename": ((0, 2), (1, 3)),
    "os.remove": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rmdir": ((0, 1),),
    "os.truncate": ((0, None),),
    "os.symlink": ((1, 2),),
    "os.link": ((1, 3),),
}
Command = Callable[[], int]  # its exit status


class Killed(BaseException):
    """The process is dead."""


class Watched:
    """Changes of files in one folder while a command runs."""

    def __init__(self, folder: Path, kill_at: int = 0, is_disk_full: bool = False) -> None:
        """0: the command is not killed; on a full disk nothing but locks can be opened to write it."""
        self.folder, self.kill_at, self.is_disk_full = f"{folder}{os.sep}", kill_at, is_disk_full
        self.changes: list[str] = []

    def see(self, event: str, arguments: tuple) -> None:
        """What the audit hook tells."""
        is_open = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        places = ((0, None),) if is_open else PATHS.get(event, ())
        paths = [_path_of(arguments[place], None if at is None else arguments[at]) for place, at in places]
        inside = [path for path in paths if path.startswith(self.folder)]
        if not inside:
            return
        self.changes.append(f"{event} {inside[-1].removeprefix(self.folder)}")
        if is_open and self.is_disk_full and not inside[0].endswith(".lock"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), inside[0])
        if self.kill_at and len(self.changes) >= self.kill_at:
            if is_open and len(self.changes) == self.kill_at and arguments[2] & os.O_TRUNC:
                _current.clear()
                os.close(os.open(arguments[0], arguments[2]))
                _current.append(self)
            raise Killed

    def fsync(self, descriptor: int) -> None:
        """In place of os.fsync, which changes nothing that is seen, and is slow."""
        if self.is_disk_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_current: list[Watched] = []


def _hook(event: str, arguments: tuple) -> None:
    if _current and (event == "open" or event in PATHS):
        _current[0].see(event, arguments)


sys.addaudithook(_hook)


def _path_of(path: object, folder: int | None) -> str:
    if isinstance(path, int):
        return os.readlink(f"/proc/self/fd/{path}")
    found = os.fsdecode(path)
    base = os.readlink(f"/proc/self/fd/{folder}") if folder is not None and folder >= 0 else os.getcwd()
    return os.path.join(base, found)


@contextmanager
def watched(folder: Path, kill_at: int = 0, is_disk_full: bool = False) -> Iterator[Watched]:
    """Count changes in a folder, and let the block die at one, or meet a full disk."""
    seen = Watched(folder, kill_at, is_disk_full)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", seen.fsync)
        _current.append(seen)
        try:
            yield seen
        finally:
            _current.clear()
            gc.collect()  # closes files that a dead command had open


def tree(folder: Path) -> dict[str, bytes]:
    """Files of a folder by name, but those that hold times; of an empty folder its name with `/`."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            found |= {} if any(path.iterdir()) else {f"{name}/": b""}
        elif path.name != "hashes.json":
            found[name] = path.read_bytes()
    return found


def check_every_kill(
    folder: Path, run: Command, outputs: list[str], is_chosen: Callable[[str], bool] = lambda change: True
) -> int:
    """Kill a command at every change of a file, let it fail where that may do harm, and run it again.

    Args:
        folder: all that it writes, with an earlier output, which differs from what the command makes of it.
        run: the command.
        outputs: what it writes, files and folders; together they are of the earlier run or of the new one.
        is_chosen: tells of a change, such as `os.rename FILE`, whether to kill there.

    Returns:
        Number of changes at which it was killed.
    """

    def found_outputs() -> dict[str, bytes]:
        return {
            name: content
            for name, content in tree(folder).items()
            if any(f"{name}/".startswith(f"{output}/") for output in outputs)
        }

    before = folder.with_name(f"{folder.name}-before")
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(folder, before)
    former = found_outputs()
    with watched(folder) as undisturbed:
        assert run() == 0
    after, new = tree(folder), found_outputs()
    assert new != former
    chosen = [number for number, change in enumerate(undisturbed.changes, start=1) if is_chosen(change)]
    num_killed = num_failed = 0
    gc.freeze()  # what is imported need not be looked at by each collection
    for number in chosen:
        change = undisturbed.changes[number - 1]
        shutil.rmtree(folder)
        shutil.copytree(before, folder)
        try:
            with watched(folder, kill_at=number):
                run()
        except Killed:
            num_killed += 1
        if number == chosen[0] or found_outputs() != former:
            with watched(folder, is_disk_full=True):
                num_failed += run() != 0
            assert found_outputs() in (former, new), f"lost after a failure, killed at {change}"
        assert run() == 0, f"killed at {change}"
        assert tree(folder) == after, f"killed at {change}"
    gc.unfreeze()
    assert num_failed
    assert num_killed >= len(chosen) / 2  # hashes that are kept depend on the time, and so does the number of changes
    print(f"killed at {num_killed} of {len(undisturbed.changes)} changes, {num_failed} failures")  # seen by pytest -s
    return num_killed
