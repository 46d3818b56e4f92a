"""Events in the lines of fairseq-train's log, with --log-format json."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ...training.training_events import NOTHING_TO_DO, SampleTranslations, TrainingStart, read_event

LINE = re.compile(r"\S+ \S+ \| INFO \| (\S+) \| (.*)")
SAVED = re.compile(r"Saved checkpoint (.+) \(epoch \d+ @ (\d+) updates, score ")
LOADED = re.compile(r"Loaded checkpoint (.+) \(epoch \d+ @ (\d+) updates\)")


@dataclass(frozen=True)
class Update:
    """Means over the last --log-interval updates.

    Attributes:
        num_updates: until now.
        epochs: that are done, with the part of the present one.
        values: by fairseq's names, such as `st_ctc_loss`.
    """

    num_updates: int
    epochs: float
    values: dict[str, float]


@dataclass(frozen=True)
class Validation:
    """Scores of one validation.

    Attributes:
        split: what was validated on.
        num_updates: of the model.
        values: by fairseq's names without the split in front, such as `bleu`.
    """

    split: str
    num_updates: int
    values: dict[str, float]


@dataclass(frozen=True)
class SavedCheckpoint:
    """A checkpoint that was written, under the first of its names."""

    path: Path
    num_updates: int


@dataclass(frozen=True)
class LoadedCheckpoint:
    """The checkpoint that a training goes on from."""

    path: Path
    num_updates: int


@dataclass(frozen=True)
class FinishedBefore:
    """A training that was finished when it was started, so that nothing was done.

    Attributes:
        message: by which option, and after how many updates.
    """

    message: str


Event = TrainingStart | SampleTranslations | Update | Validation | SavedCheckpoint | LoadedCheckpoint | FinishedBefore


def read_line(line: str) -> Event | None:
    """The event of a line of the log; None where it tells of none."""
    match = LINE.match(line)
    if match is None:
        return None
    logger, text = match.groups()
    if saved := SAVED.match(text):
        return SavedCheckpoint(Path(saved[1]), int(saved[2]))
    if loaded := LOADED.match(text):
        return LoadedCheckpoint(Path(loaded[1]), int(loaded[2]))
    if text.startswith(NOTHING_TO_DO):
        return FinishedBefore(text)
    if not text.startswith("{") or logger == "train":  # means over an epoch, all of which were shown
        return None
    try:
        return read_event(logger, text) or _read_values(logger, json.loads(text))
    except ValueError:  # a dictionary of Python
        return None


def _read_values(logger: str, content: dict[str, str | float]) -> Update | Validation | None:
    prefix = "" if logger == "train_inner" else f"{logger}_"
    values = {
        name.removeprefix(prefix): float(value)
        for name, value in content.items()
        if name.startswith(prefix) and value is not None
    }
    if "num_updates" not in values:
        return None
    num_updates = int(values.pop("num_updates"))
    if logger == "train_inner":
        return Update(num_updates, values.pop("update"), values)
    return Validation(logger, num_updates, values)
