"""State of a learning-rate schedule that fairseq's checkpoints lack; without it, a resumed training has other rates."""

from typing import TYPE_CHECKING, Any

from fairseq.optim.lr_scheduler.reduce_lr_on_plateau import ReduceLROnPlateauLRSchedule

if TYPE_CHECKING:
    from fairseq.trainer import Trainer

NOT_BETTER = "num_bad_epochs"  # validations since the best one, by torch's name

_fairseq_state_dict = ReduceLROnPlateauLRSchedule.state_dict
_fairseq_load_state_dict = ReduceLROnPlateauLRSchedule.load_state_dict


def state_dict(schedule: ReduceLROnPlateauLRSchedule) -> dict[str, float]:
    """State of --lr-scheduler reduce_lr_on_plateau, with the count that --lr-patience bounds."""
    return {**_fairseq_state_dict(schedule), NOT_BETTER: schedule.lr_scheduler.num_bad_epochs}


def load_state_dict(schedule: ReduceLROnPlateauLRSchedule, state: dict[str, float]) -> None:
    """Load what `state_dict` gave; the count is 0 where an older checkpoint lacks it."""
    _fairseq_load_state_dict(schedule, state)
    schedule.lr_scheduler.num_bad_epochs = state.get(NOT_BETTER, 0)


def end_epoch(trainer: "Trainer", extra_state: dict[str, Any]) -> None:
    """Tell a schedule of the validation at the end of an epoch, of which it learns after the checkpoint is written.

    Args:
        trainer: has loaded the checkpoint, of whatever place in an epoch.
        extra_state: of the checkpoint.
    """
    place = extra_state["train_iterator"]
    if place["iterations_in_epoch"] == 0:
        trainer.lr_step(place["epoch"] - 1, extra_state.get("val_loss"))


ReduceLROnPlateauLRSchedule.state_dict = state_dict
ReduceLROnPlateauLRSchedule.load_state_dict = load_state_dict
