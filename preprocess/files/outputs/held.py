"""An output held by one process: checked before the work, locked, and what a killed run left put in order."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...errors import OutputError
from ..cards.card import Card
from ..lock import locked
from .place import check_apart, check_place, check_replaceable
from .replacing import WHOLE, finish_replacing, remove_leftovers


@contextlib.contextmanager
def held_folder(out: Path, kind: type[Card], inputs: Iterable[Path] = ()) -> Iterator[None]:
    """Hold the folder `out` while the block makes it; see `whole_folder`.

    Args:
        out: the folder.
        kind: of its card.
        inputs: what the block reads.

    Raises:
        OutputError: another process holds it, it cannot be written, or something would be lost.
    """
    check_place(out, is_folder=True)
    check_apart(out, inputs)
    with locked(out):
        _put_in_order(out.resolve())
        check_replaceable(out, kind)
        yield


@contextlib.contextmanager
def held_file(out: Path, inputs: Iterable[Path] = ()) -> Iterator[None]:
    """Hold the file `out` while the block makes it; see `whole_file` and `whole_files`.

    Args:
        out: the file.
        inputs: what the block reads.

    Raises:
        OutputError: another process holds it, it cannot be written, or an input would be lost.
    """
    check_place(out, is_folder=False)
    check_apart(out, inputs)
    with locked(out):
        _put_in_order(out)
        yield


def put_all_in_order(folder: Path) -> None:
    """Finish what killed runs had begun to put in place of outputs in `folder`.

    Raises:
        OutputError: another process makes one of them, or it cannot be written.
    """
    for whole in sorted(folder.glob(f".*{WHOLE}")):
        out = folder / whole.name.removeprefix(".").removesuffix(WHOLE)
        with locked(out):
            _put_in_order(out)


def _put_in_order(path: Path) -> None:
    """Finish what a killed run began to put in place, and remove its other leftovers."""
    try:
        finish_replacing(path)
        remove_leftovers(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror} ({error.filename})") from error
