"""Whole files or none. Every output is written beside its place and renamed when it is complete."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import OutputError
from .cards.card import Card
from .outputs.place import check_replaceable
from .outputs.replacing import flush_to_disk, gathered

TEMPORARY = (".partial", ".gathered", ".whole")  # in the names of what is not in its place yet


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
            flush_to_disk(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_files(path: Path, lists: Sequence[str] = ()) -> Iterator[Path]:
    """Yield a temporary folder for `path` and files beside it; they are put in place together, or none of them.

    Args:
        path: the output.
        lists: see `gathered`.

    Raises:
        OutputError: they cannot be written; `path` is then as it was before.
    """
    with _explain_os_errors(path), gathered(Path(path), lists) as folder:
        yield folder


@contextlib.contextmanager
def whole_folder(path: Path, kind: type[Card], lists: Sequence[str] = ()) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; it is put in its place if the block ends without an error.

    An existing folder at `path` is replaced only if it is empty or an output of this kind, and holds nothing else.

    Args:
        path: the folder to write.
        kind: of its card.
        lists: see `gathered`.

    Raises:
        OutputError: `path` is something else, or the folder cannot be written; `path` is then as it was before.
    """
    path = Path(path).resolve()  # what a link points to is replaced, not the link
    check_replaceable(path, kind)
    with _explain_os_errors(path), gathered(path, lists) as gathering:
        # as deep as `path`: files in it may name others relative to their folder
        folder = path.with_name(f".{path.name}.partial")
        folder.mkdir()
        try:
            yield folder
            check_replaceable(path, kind)  # again: somebody may have put something there meanwhile
            os.replace(folder, gathering / path.name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _explain_os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.filename is not None and not any(name in str(error.filename) for name in TEMPORARY):
            raise  # an input could not be read: not ours to explain
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}",
            advice="run again to go on, nothing unfinished was left there",
        ) from error
