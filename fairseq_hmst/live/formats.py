"""Updates of a live translation as text that grows, or as JSON, a line each."""

import sys
from collections.abc import Callable
from typing import Protocol, TextIO

from preprocess.files.reading.escaping import to_json

from .update import Update


class Writer(Protocol):
    """One of the formats below: updates one after the other, and then the end."""

    def add(self, update: Update) -> None:
        """Write an update."""
        ...

    def close(self) -> None:
        """Write what ends the output."""
        ...


class GrowingText:
    """Text that is certain, as it comes; the end is a line feed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def add(self, update: Update) -> None:
        """Write what became certain."""
        self._stream.write(update.committed)
        self._stream.flush()

    def close(self) -> None:
        """End the line."""
        self._stream.write("\n")
        self._stream.flush()


class Terminal:
    """Text that is certain, and behind it in grey the rest; full lines are written for good."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._line = ""
        self._live = Live(console=Console(file=stream, highlight=False), auto_refresh=False)
        self._live.start()

    def add(self, update: Update) -> None:
        """Show an update."""
        from rich.text import Text

        console = self._live.console
        *full, last = Text(self._line + update.committed).wrap(console, console.width) or [Text()]
        for line in full:
            console.print(line)
        self._line = last.plain
        self._live.update(Text.assemble(self._line, (update.open, "dim")), refresh=True)

    def close(self) -> None:
        """Leave the text as it is."""
        self._live.stop()


class JsonLines:
    """A line an update: seconds heard and spent, text committed and open."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def add(self, update: Update) -> None:
        """Write the line of an update."""
        line = {
            "heard": round(update.heard_seconds, 3),
            "spent": round(update.spent_seconds, 4),
            "committed": update.committed,
            "open": update.open,
        }
        self._stream.write(to_json(line) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left to write."""


def _text_writer(stream: TextIO) -> Writer:
    return Terminal(stream) if stream.isatty() else GrowingText(stream)


FORMATS: dict[str, Callable[[TextIO], Writer]] = {"text": _text_writer, "jsonl": JsonLines}


def make_writer(name: str) -> Writer:
    """A writer of one of FORMATS to standard output."""
    return FORMATS[name](sys.stdout)
