"""Whether a training is finished already, and what must be kept in its checkpoints to know."""

import importlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairseq.data.iterators import EpochBatchIterator
    from fairseq.trainer import Trainer

PATIENCE = ("best", "num_runs")  # attributes of fairseq's function, which it keeps nowhere else
SECONDS_AN_HOUR = 3600


def finished_by(trainer: "Trainer", epoch_itr: "EpochBatchIterator") -> str | None:
    """The option that has ended a training which goes on from a checkpoint; None if it is not at its end.

    Args:
        trainer: has loaded the checkpoint.
        epoch_itr: at the place in the data where the training would go on.
    """
    end, checkpoint = trainer.cfg.optimization, trainer.cfg.checkpoint
    num_updates, rate = trainer.get_num_updates(), trainer.get_lr()
    if num_updates == 0:
        return None
    if 0 < end.max_update <= num_updates:
        return f"--max-update {end.max_update}"
    if 0 < end.max_epoch < epoch_itr.next_epoch_idx:
        return f"--max-epoch {end.max_epoch}"
    if rate <= end.stop_min_lr:
        return f"--stop-min-lr {end.stop_min_lr:g}"
    if 0 < end.stop_time_hours < trainer.cumulative_training_time() / SECONDS_AN_HOUR:
        return f"--stop-time-hours {end.stop_time_hours:g}"
    if 0 < checkpoint.patience <= getattr(_training_program().should_stop_early, "num_runs", 0):
        return f"--patience {checkpoint.patience}"
    return None


def patience_state() -> dict[str, float]:
    """The best score, and how many validations ago it was, as --patience counts them."""
    counter = _training_program().should_stop_early
    return {name: float(getattr(counter, name)) for name in PATIENCE if hasattr(counter, name)}


def restore_patience(state: Mapping[str, float]) -> None:
    """Let --patience count on from a checkpoint's state."""
    counter = _training_program().should_stop_early
    for name, value in state.items():
        setattr(counter, name, value)


def _training_program() -> ModuleType:
    """fairseq_cli.train, under the name that it runs by: `python -m` gives it another."""
    program = sys.modules["__main__"]
    return program if hasattr(program, "should_stop_early") else importlib.import_module("fairseq_cli.train")
