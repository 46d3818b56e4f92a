"""Ways to show a training: lines of text, a terminal with a bar, lines of JSON."""

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ...training.training_events import SampleTranslations, TrainingStart
from .log_lines import Event, LoadedCheckpoint, SavedCheckpoint, Update, Validation
from .progress import TrainingProgress
from .result import TrainingResult
from .texts import duration, sample_lines, start_lines, table_lines, update_line, validation_columns

LOG_FORMATS = ("auto", "bar", "lines", "json")
Write = Callable[[str], None]


class Screen(Protocol):
    """One way of showing."""

    def command(self, command: str, log: str) -> None:
        """Show the command line that is run, and where its full log is."""
        ...

    def event(self, event: Event, progress: TrainingProgress) -> None:
        """Show an event that `progress` has followed already."""
        ...

    def end(self, result: TrainingResult, progress: TrainingProgress) -> None:
        """Show how it ended."""
        ...

    def running(self) -> AbstractContextManager[object]:
        """A context in which the training runs."""
        ...


def add_log_format(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses a screen."""
    parser.add_argument(
        "--log-format",
        choices=LOG_FORMATS,
        default="auto",
        help="of the training: bar: lines with a bar below them; lines; json: a line of JSON an event; auto (default): "
        "bar on a terminal, else lines",
    )


def open_screen(log_format: str, write: Write | None = None) -> Screen:
    """The screen of a name in LOG_FORMATS; `auto` is a bar on a terminal, and lines elsewhere."""
    console = Console()
    write = write or _print
    if log_format == "json":
        return JsonScreen(write)
    if log_format == "bar" or (log_format == "auto" and console.is_terminal):
        return BarScreen(console)
    return LineScreen(write)


class LineScreen:
    """Lines of text.

    Args:
        write: writes a line.
    """

    def __init__(self, write: Write) -> None:
        self.write = write
        self._samples: SampleTranslations | None = None  # logged before the scores, shown after them

    def running(self) -> AbstractContextManager[object]:
        return nullcontext()

    def command(self, command: str, log: str) -> None:
        self.write(command)
        self.write(f"log        {log}")

    def event(self, event: Event, progress: TrainingProgress) -> None:
        if isinstance(event, TrainingStart):
            self._lines(start_lines(event))
            if progress.num_updates > 0:
                self.write(f"goes on after {progress.num_updates:,} updates")
        elif isinstance(event, Update):
            self.write(update_line(event, progress.seconds_left))
        elif isinstance(event, SampleTranslations):
            self._samples = event
        elif isinstance(event, Validation):
            self._validation(event, progress)

    def end(self, result: TrainingResult, progress: TrainingProgress) -> None:
        validations = list(progress.validations.values())
        best = progress.best
        if len(validations) > 1:
            columns = validation_columns(validations, progress.options.best_checkpoint_metric)
            self._lines(["", *table_lines(validations, columns, best.validation if best else None)])
        if best is not None:
            metric = progress.options.best_checkpoint_metric
            score = f"{metric} {best.validation.values[metric]:g}"
            self.write(f"best: {best.path} ({best.validation.num_updates:,} updates, {score})")
        if result.message:
            self.write(result.message)
        self._lines(f"next: {command}" for command in result.next_commands)

    def _validation(self, validation: Validation, progress: TrainingProgress) -> None:
        columns = validation_columns([validation], progress.options.best_checkpoint_metric)
        others = [each for each in progress.validations.values() if each != validation]
        is_best = all(progress.is_better(validation, other) for other in others) and validation.split == progress.split
        if validation.split != progress.split:
            self.write(f"{validation.split}:")
        self._lines(table_lines([validation], columns, validation if is_best else None))
        if self._samples is not None:
            self._lines(sample_lines(self._samples))
            self._samples = None

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


class BarScreen(LineScreen):
    """Lines on a terminal, with a bar below them.

    Args:
        console: of the terminal.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True))
        columns = (TextColumn("{task.description}"), BarColumn(None), TextColumn("{task.fields[left]}"))
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("starting", total=None, left="")

    def running(self) -> AbstractContextManager[object]:
        return self._bar

    def event(self, event: Event, progress: TrainingProgress) -> None:
        super().event(event, progress)
        share, left = progress.share_done, progress.seconds_left
        if isinstance(event, TrainingStart | Update):
            self._bar.update(
                self._task,
                description=f"update {progress.num_updates:,}",
                total=None if share is None else 1.0,
                completed=share or 0.0,
                left="" if left is None else f"{duration(left)} left",
            )


class JsonScreen:
    """Lines of JSON; their keys stand in docs/training.md.

    Args:
        write: writes a line.
    """

    def __init__(self, write: Write) -> None:
        self._write = write

    def running(self) -> AbstractContextManager[object]:
        return nullcontext()

    def command(self, command: str, log: str) -> None:
        self._object("command", command=command, log=log)

    def event(self, event: Event, progress: TrainingProgress) -> None:
        if isinstance(event, TrainingStart):
            self._object("start", num_updates=progress.num_updates, **dataclasses.asdict(event))
        elif isinstance(event, Update):
            numbers = {"num_updates": event.num_updates, "epochs": event.epochs, "seconds_left": progress.seconds_left}
            self._object("update", **numbers, **event.values)
        elif isinstance(event, Validation):
            self._object("validation", split=event.split, num_updates=event.num_updates, **event.values)
        elif isinstance(event, SampleTranslations):
            self._object("samples", **dataclasses.asdict(event))
        elif isinstance(event, SavedCheckpoint | LoadedCheckpoint):
            name = "saved" if isinstance(event, SavedCheckpoint) else "loaded"
            self._object(name, checkpoint=str(event.path), num_updates=event.num_updates)

    def end(self, result: TrainingResult, progress: TrainingProgress) -> None:
        self._object(
            "end",
            exit_status=result.exit_status,
            num_updates=result.num_updates,
            message=result.message,
            best_checkpoint=None if result.best_checkpoint is None else str(result.best_checkpoint),
            best_scores=result.best_scores,
            next_commands=result.next_commands,
        )

    def _object(self, name: str, **content: object) -> None:
        self._write(json.dumps({"event": name, **content}, ensure_ascii=False))


def _print(line: str) -> None:
    print(line, flush=True)
