"""The state of a training while it runs: how far it is, how long it will take, which checkpoint is best."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...training.training_events import TrainingStart
from .checkpoints import BEST_CHECKPOINT
from .fairseq_options import FairseqOptions
from .log_lines import Event, FinishedBefore, LoadedCheckpoint, SavedCheckpoint, Update, Validation, read_line


@dataclass(frozen=True)
class BestCheckpoint:
    """The best checkpoint of a training.

    Attributes:
        path: its file.
        validation: its scores.
    """

    path: Path
    validation: Validation


class TrainingProgress:
    """Follows the events of a training.

    Args:
        options: of fairseq-train.
        clock: gives seconds.

    Attributes:
        num_updates: until now, counted from the training's beginning, however often it was resumed.
        epochs: that are done, with the part of the present one.
        validations: of the first validation set, in order.
        split: name of that set.
        finished: why there was nothing to do; "" where there was.
    """

    def __init__(self, options: FairseqOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self.options = options
        self.num_updates = 0
        self.epochs = 0.0
        self.split: str | None = None
        self.finished = ""
        self.validations: dict[int, Validation] = {}
        self._saved: dict[int, Path] = {}
        self._clock = clock
        self._first: tuple[float, float] | None = None  # share that was done, and when
        self._earlier: list[Event] = _earlier_events(options.log)

    def follow(self, event: Event) -> None:
        """Take up what an event says."""
        if isinstance(event, Update):
            self.num_updates, self.epochs = event.num_updates, event.epochs
            if self._first is None:
                self._first = (self.share_done or 0.0, self._clock())
        elif isinstance(event, Validation):
            self.split = self.split or event.split
            if event.split == self.split:
                self.validations[event.num_updates] = event
        elif isinstance(event, SavedCheckpoint):
            self._saved[event.num_updates] = event.path
        elif isinstance(event, LoadedCheckpoint):
            self._resume(event)
        elif isinstance(event, FinishedBefore):
            self.finished = event.message

    @property
    def share_done(self) -> float | None:
        """Share of the training that is done, by what will end it first; None where nothing will."""
        shares = []
        if self.options.max_update > 0:
            shares.append(self.num_updates / self.options.max_update)
        if self.options.max_epoch > 0:
            shares.append(self.epochs / self.options.max_epoch)
        return max(shares, default=None)

    @property
    def seconds_left(self) -> float | None:
        """Estimate by the pace of this run, with its validations; None before the second line of updates."""
        share = self.share_done
        if share is None or self._first is None or share <= self._first[0]:
            return None
        done_at_first, since = self._first
        return max(0.0, (self._clock() - since) * (1 - share) / (share - done_at_first))

    def is_better(self, validation: Validation, other: Validation | None) -> bool:
        """Whether a validation is at least as good as another by --best-checkpoint-metric, as fairseq compares them."""
        metric = self.options.best_checkpoint_metric
        if metric not in validation.values:
            return False
        if other is None:
            return True
        sign = 1 if self.options.maximize_best_checkpoint_metric else -1
        return sign * validation.values[metric] >= sign * other.values[metric]

    @property
    def best(self) -> BestCheckpoint | None:
        """The best of the checkpoints that were saved; None where none was."""
        best: Validation | None = None
        for num_updates, validation in sorted(self.validations.items()):
            if num_updates in self._saved and self.is_better(validation, best):
                best = validation
        if best is None:
            return None
        path = self.options.save_dir / BEST_CHECKPOINT
        return BestCheckpoint(path if path.exists() else self._saved[best.num_updates], best)

    def _resume(self, checkpoint: LoadedCheckpoint) -> None:
        """Go on from a checkpoint of this training, with what the log knows until then."""
        if checkpoint.path.parent.resolve() != self.options.save_dir.resolve():
            return
        self.num_updates = checkpoint.num_updates
        for event in self._earlier:
            if isinstance(event, Validation | SavedCheckpoint) and event.num_updates <= checkpoint.num_updates:
                self.follow(event)


def _earlier_events(log: Path) -> list[Event]:
    """Events of earlier runs of the same training; a run that did not go on from a checkpoint begins another."""
    if not log.exists():
        return []
    events: list[Event] = []
    goes_on = False
    with log.open(encoding="utf-8", errors="replace") as lines:
        for event in map(read_line, lines):
            if event is None:
                continue
            if isinstance(event, LoadedCheckpoint):
                goes_on = True
            elif isinstance(event, TrainingStart):
                if not goes_on:
                    events.clear()
                goes_on = False
            events.append(event)
    return events
