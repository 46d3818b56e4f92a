"""The start of a training from a checkpoint, by whatever command.

Importing this replaces what fairseq reads checkpoints by: broken ones are refused in words, a broken last one is passed
over, one that does not fit is refused before its weights are copied, and a finished training stays as it is.
"""

import contextlib
import copy
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fairseq import checkpoint_utils
from fairseq.data.iterators import EpochBatchIterator
from fairseq.dataclass.configs import CheckpointConfig
from fairseq.distributed import utils as distributed_utils
from fairseq.file_io import PathManager
from fairseq.trainer import Trainer

from preprocess.errors import UserError
from preprocess.files.reading.finite import check_finite

from ..training.training_events import NOTHING_TO_DO
from .finished import finished_by
from .reading import CHECKPOINTS, LOST_MODEL, CheckpointError, check_whole, newest_whole, read_without_weights
from .schedule_state import end_epoch
from .writing import sweep

if TYPE_CHECKING:
    from .reading import FairseqCheckpoint

logger = logging.getLogger(__name__)

RESTORED = "checkpoint_last.pt"  # fairseq's default of --restore-file
NAMED = 5  # of broken checkpoints, in an error
NO_EPOCH = -1  # as --max-epoch, below every epoch; fairseq takes 0 for no limit

_fairseq_read = checkpoint_utils.load_checkpoint_to_cpu
_fairseq_load = checkpoint_utils.load_checkpoint
_fairseq_load_into = Trainer.load_checkpoint


def read(path: str, *arguments: object, **options: object) -> "FairseqCheckpoint":
    """Read a checkpoint, whichever command of fairseq asks for it, and check it first.

    Raises:
        CheckpointError: the file is not whole, or no checkpoint.
        NotFiniteError: a weight is NaN or infinite.
        OSError: there is no such file.
    """
    if not PathManager.path_requires_pathmanager(path):
        check_whole(path)
    state: FairseqCheckpoint = _fairseq_read(path, *arguments, **options)
    check_finite(state["model"], path, LOST_MODEL)
    state.setdefault("task_state", {})  # so that fairseq asks the task, whatever made the checkpoint
    return state


def load(
    cfg: CheckpointConfig, trainer: Trainer, **options: object
) -> tuple[dict[str, object] | None, EpochBatchIterator]:
    """Load the checkpoint that a training starts from, if there is one; a finished training then makes no update.

    Raises:
        CheckpointError: there are checkpoints of this training, but none that is whole; or one does not fit.
    """
    start = "" if trainer.checkpoint_suffix else _agreed(trainer, cfg)  # with a suffix each process has its own part
    if start:
        cfg = copy.deepcopy(cfg)
        cfg.restore_file, cfg.finetune_from_model = start, None
    extra_state, epoch_itr = _fairseq_load(cfg, trainer, **options)
    end = finished_by(trainer, epoch_itr)
    if end is not None:
        updates = f"{trainer.get_num_updates():,} updates, {epoch_itr.next_epoch_idx - 1} whole epochs"
        logger.info(f"{NOTHING_TO_DO} by {end}, after {updates}")
        trainer.cfg.optimization.max_epoch = NO_EPOCH  # which fairseq reads after this
    return extra_state, epoch_itr


def load_into(
    trainer: Trainer,
    filename: str,
    reset_optimizer: bool = False,
    reset_lr_scheduler: bool = False,
    *arguments: object,
    **options: object,
) -> dict[str, object] | None:
    """Load one checkpoint into a training, if the task takes it."""
    lacks_averages = False
    accept = getattr(trainer.task, "accept_checkpoint", None)
    if accept is not None and Path(filename).is_file():
        checkpoint = read_without_weights(filename)
        try:
            accept(checkpoint, trainer.cfg.model)
        except UserError as error:
            raise error.at(filename) from error
        lacks_averages = "ema" not in checkpoint.get("extra_state", {})
    resets = (reset_optimizer, reset_lr_scheduler)
    with _begin_averages(trainer) if lacks_averages else contextlib.nullcontext():
        extra_state: dict[str, object] | None = _fairseq_load_into(trainer, filename, *resets, *arguments, **options)
    if extra_state is not None and not any(resets):
        end_epoch(trainer, extra_state)
    return extra_state


def whole_start(cfg: CheckpointConfig) -> str:
    """The newest whole checkpoint of a training whose last one is broken; "" where that is whole, or there is none.

    So it is if the last one is missing although there are others: the training was killed between the two.

    Args:
        cfg: tells of --save-dir and --restore-file.

    Raises:
        CheckpointError: there are checkpoints, but none is whole.
    """
    folder = Path(cfg.save_dir)
    sweep(folder)
    last = folder / RESTORED
    if cfg.restore_file != RESTORED or (cfg.no_last_checkpoints and not last.is_file()):
        return ""
    fault = "is missing"
    if last.is_file():
        try:
            check_whole(last)
        except CheckpointError as error:
            fault = error.found
        else:
            return ""
    newest = newest_whole(folder)
    if newest is not None:
        logger.warning(f"{last}: {fault}; going on from {newest}, the newest that is whole")
        return str(newest)
    broken = sorted(path.name for path in folder.glob(CHECKPOINTS))
    if not broken:
        return ""
    raise CheckpointError(
        f"no checkpoint of this training is whole: {', '.join(broken[:NAMED])}",
        place=folder,
        advice="move them away to train from the start, or put a copy back",
    )


@contextlib.contextmanager
def _begin_averages(trainer: Trainer) -> Iterator[None]:
    """Let moving averages of weights (--store-ema) begin with the next update, as in a new training.

    fairseq means to begin them with the weights of a checkpoint that has no averages, but has let go of these by then.
    """
    averages = trainer.cfg.ema
    given, averages.store_ema = averages.store_ema, False
    try:
        yield
    finally:
        averages.store_ema = given


def _agreed(trainer: Trainer, cfg: CheckpointConfig) -> str:
    """The result of `whole_start` in the first process, or its error, in all processes."""
    found: str | UserError = ""
    if trainer.data_parallel_rank == 0:
        try:
            found = whole_start(cfg)
        except UserError as error:
            found = error
    if trainer.data_parallel_world_size > 1:
        group = trainer.data_parallel_process_group
        found = distributed_utils.broadcast_object(found, 0, group, trainer.device)
    if isinstance(found, UserError):
        raise found
    return found


checkpoint_utils.load_checkpoint_to_cpu = read
checkpoint_utils.load_checkpoint = load
Trainer.load_checkpoint = load_into
