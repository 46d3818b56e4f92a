"""Whole files or none. Every output is written beside its place and renamed when it is complete."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..errors import OutputError


@contextlib.contextmanager
def whole_file(path: Path, writer: str = "") -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` if the block ends without an error.

    Args:
        path: the file to write.
        writer: a name of one's own, where several may write the same file at the same time.

    Raises:
        OutputError: the file cannot be written (no space left, no permission); `path` is then as it was before.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}{writer}.partial")
    with _explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _flush_to_disk(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; rename it to `path` if the block ends without an error.

    An existing folder at `path` is replaced only if it holds a card.json (then it is an output of ours) or is empty.

    Raises:
        OutputError: `path` is something else, or the folder cannot be written; `path` is then as it was before.
    """
    path = Path(path).resolve()  # what a link points to is replaced, not the link
    if path.exists() and not _may_be_replaced(path):
        raise OutputError(
            f"{path} exists and is not an output of preprocess (no card.json in it)",
            advice="name another --out",
        )
    temporary, former = (path.with_name(f".{path.name}.{suffix}") for suffix in ("partial", "former.partial"))
    with _explain_os_errors(path):
        for leftover in (temporary, former):  # of a run that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        temporary.mkdir(parents=True)
        try:
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _flush_to_disk(file)
            if path.exists():
                os.replace(path, former)  # and not removed in place: a folder half removed is no output of ours
            os.replace(temporary, path)
            shutil.rmtree(former, ignore_errors=True)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _may_be_replaced(path: Path) -> bool:
    return path.is_dir() and ((path / "card.json").is_file() or not any(path.iterdir()))


def _flush_to_disk(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def _explain_os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.filename is not None and ".partial" not in str(error.filename):
            raise  # an input could not be read: not ours to explain
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}",
            advice="run again to go on, nothing unfinished was left there",
        ) from error
