"""Progress of long work on stderr: a bar on a terminal; elsewhere, such as in a file, a line now and then."""

import contextlib
import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

Item = TypeVar("Item")

POLL_SECONDS = 1.0
BAR_SECONDS = 0.5  # between two changes of a bar
LINE_SECONDS = 60.0  # between two lines
SILENT_SECONDS = 2.0  # shorter work leaves no line in a file


class _Lines(io.TextIOBase):
    """Lines on stderr of what tqdm would draw over one another."""

    def write(self, text: str) -> int:
        if line := text.strip():
            sys.stderr.write(f"{line}\n")
        return len(text)


def show_progress(
    description: str,
    unit: str,
    total: int | None = None,
    done: int = 0,
    scale: bool = False,
    form: str | None = None,
) -> "tqdm[Any]":
    """A bar, used as a context, which `update` tells what more is done.

    Args:
        description: of the work.
        unit: of `total` and `done`, such as " rows" or "B".
        total: all of the work; None: not known.
        done: by an earlier run.
        scale: whether to show thousands as k, millions as M.
        form: a `bar_format` of tqdm, in place of the usual one.
    """
    from tqdm import tqdm

    is_terminal = sys.stderr.isatty()
    return tqdm(
        desc=description,
        unit=unit,
        total=total,
        initial=done,
        unit_scale=scale,
        bar_format=form,
        miniters=0,  # every update looks at the time: work may be fast first and slow later
        mininterval=BAR_SECONDS if is_terminal else LINE_SECONDS,
        delay=0 if is_terminal else SILENT_SECONDS,
        file=sys.stderr if is_terminal else _Lines(),
        ncols=None if is_terminal else 0,  # numbers without a bar
    )


def count_progress(items: Iterable[Item], description: str, unit: str) -> Iterator[Item]:
    """Yield the items, and show how many are done."""
    with show_progress(description, unit, len(items) if isinstance(items, Sized) else None) as progress:
        for item in items:
            yield item
            progress.update()


@contextlib.contextmanager
def show_waiting(description: str) -> Iterator[None]:
    """Show how long the block takes, which does not say how far it is."""
    with show_progress(description, "s", form="{desc}: {elapsed}") as progress, polled(progress.update):
        yield


@contextlib.contextmanager
def polled(report: Callable[[], object]) -> Iterator[None]:
    """Call `report` every second while the block lasts, and at its end.

    The calls are made in a thread, but for the last, which is left out where the block ends with an error.
    """
    has_ended = threading.Event()

    def poll() -> None:
        while not has_ended.wait(POLL_SECONDS):
            report()

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()
    report()
