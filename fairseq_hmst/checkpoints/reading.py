"""Checkpoints of fairseq-train as files: whether one is whole, what is in it, and which of a folder is the newest."""

import functools
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import torch

from preprocess.errors import FileError, UserError
from preprocess.files.reading.archive import check_archive
from preprocess.files.reading.finite import check_finite
from preprocess.files.reading.obstacle import in_a_line

from .. import compat  # noqa: F401  (lets torch read fairseq's checkpoints)

if TYPE_CHECKING:
    from torch import Tensor

CHECKPOINTS = "checkpoint*.pt"  # names that fairseq gives
LOST_MODEL = "its training went wrong: take an earlier checkpoint"
BROKEN = "cannot be read as a checkpoint of fairseq-train"
CUT = "it is empty, its end is missing, or it is no file of torch"


class CheckpointError(UserError, ValueError):
    """A checkpoint cannot be read, or does not fit its use."""


class TaskState(TypedDict, total=False):
    """State of the task in its checkpoints; older ones lack some, those of fairseq's own tasks all.

    Attributes:
        data_fingerprint: hashes of the files of the data-bin that say what ids and units mean.
        signature: of the data-bin.
        symbols: of its dictionaries and of the labels on transcripts, in the order of their ids.
    """

    data_fingerprint: dict[str, str]
    signature: str
    symbols: dict[str, list[str]]


class FairseqCheckpoint(TypedDict):
    """A checkpoint of fairseq-train, as far as it is read here.

    Attributes:
        model: weights by name.
        cfg: configuration by part of fairseq, and by option.
        task_state: see TaskState.
        optimizer_history: an entry a training, the last one with its `num_updates`.
        extra_state: position in the data, and the rest that a training goes on with.
    """

    model: "dict[str, Tensor]"
    cfg: dict[str, dict[str, object]]
    task_state: TaskState
    optimizer_history: list[dict[str, object]]
    extra_state: "dict[str, dict[str, Tensor]]"


def read_checkpoint(path: str | Path) -> FairseqCheckpoint:
    """Read a checkpoint with its weights; it is checked first.

    Raises:
        CheckpointError: the file is not whole, or no checkpoint of fairseq-train.
        NotFiniteError: a weight is NaN or infinite.
        OSError: there is no such file.
    """
    check_whole(path)
    checkpoint = _read(path, "cpu")
    check_finite(checkpoint["model"], path, LOST_MODEL)
    return checkpoint


def read_without_weights(path: str | Path) -> FairseqCheckpoint:
    """Read a checkpoint with the shapes of its weights alone, in a moment.

    Raises:
        CheckpointError: the file is no checkpoint of fairseq-train.
        OSError: there is no such file.
    """
    return _read(path, "meta")


def check_whole(path: str | Path) -> None:
    """Refuse a file that was cut or changed, by the checksums that torch wrote into it.

    Raises:
        CheckpointError: the file is not whole, or no checkpoint of fairseq-train.
        OSError: there is no such file.
    """
    state = Path(path).stat()
    _check_whole(Path(path), state.st_size, state.st_mtime_ns)


def newest_whole(folder: Path) -> Path | None:
    """The checkpoint with the most updates among those of a folder that are whole; None if none is."""
    found: list[tuple[int, int, Path]] = []
    for path in folder.glob(CHECKPOINTS):
        try:
            updates = int(str(read_without_weights(path)["optimizer_history"][-1]["num_updates"]))
        except (CheckpointError, OSError):
            continue
        found.append((updates, path.stat().st_mtime_ns, path))
    for _, _, path in sorted(found, reverse=True):
        try:
            check_whole(path)
        except CheckpointError:
            continue
        return path
    return None


@functools.lru_cache(maxsize=32)
def _check_whole(path: Path, size: int, changed: int) -> None:
    """Check a file once, as long as its size and time of change stay."""
    try:
        check_archive(path)
    except FileError as error:
        raise CheckpointError(f"{BROKEN}: {error.found}", place=path, advice=error.advice) from error
    _read(path, "meta")


def _read(path: str | Path, device: str) -> FairseqCheckpoint:
    try:
        checkpoint: FairseqCheckpoint = torch.load(path, map_location=device, weights_only=True)
    except OSError as error:
        if error.filename is not None:  # of the file itself; torch raises others where it is damaged
            raise
        raise CheckpointError(f"{BROKEN}: {CUT} ({in_a_line(error)})", place=path) from error
    except pickle.UnpicklingError as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(f"{BROKEN}: {reason}", place=path) from error
    except Exception as error:  # torch raises whatever a file that is no checkpoint leads it to
        reason = in_a_line(error).partition(". ")[0]
        raise CheckpointError(f"{BROKEN}: {CUT} ({reason})", place=path) from error
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("model"), dict):
        raise CheckpointError(f"{BROKEN}: it holds no weights of a model", place=path)
    return checkpoint
