"""The part of the task that checkpoints keep: the data-bin by which one is known again, and what it must agree with."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from fairseq.tasks import FairseqTask
from omegaconf import DictConfig, OmegaConf

from ..checkpoints.finished import patience_state, restore_patience
from ..checkpoints.identity import FINGERPRINT, differing_options
from ..checkpoints.reading import CheckpointError, FairseqCheckpoint, TaskState
from ..data.data_bin import DataBin

if TYPE_CHECKING:
    from ..models.hmst_model import SharedEncoderConfig

logger = logging.getLogger(__name__)

OTHER_DATA = (
    "give the data-bin it was trained on; to start a training on this one from its weights, give it by --transfer-from"
)
OTHER_MODEL = (
    "give the options it was trained with; to start another model from its weights, give it by --transfer-from"
)


class CheckpointedTask(FairseqTask):
    """A task whose checkpoints know their data-bin.

    Attributes:
        data_bin: the first one, of whose vocabulary all others are.
    """

    data_bin: DataBin

    def state_dict(self) -> TaskState:
        """State of the data-bin in each checkpoint, by which it is known again."""
        return {
            FINGERPRINT: self.data_bin.fingerprint,
            "signature": self.data_bin.signature,
            "symbols": self.data_bin.symbols,
        }

    def load_state_dict(self, state_dict: TaskState) -> None:
        """Refuse a checkpoint that was trained with other dictionaries, subwords or units.

        Raises:
            DataBinError: it belongs to another data-bin.
        """
        if FINGERPRINT not in state_dict:
            logger.warning(
                f"a checkpoint does not say which data-bin it was trained on: if it was not {self.data_bin.path}, its "
                "translations mean nothing"
            )
            return
        self.data_bin.check_fingerprint(state_dict[FINGERPRINT], "the checkpoint belongs to", OTHER_DATA)
        trained_on = state_dict.get("signature", self.data_bin.signature)
        if trained_on != self.data_bin.signature:
            logger.warning(f"a checkpoint was trained on data made otherwise: {trained_on}")

    def accept_checkpoint(self, checkpoint: FairseqCheckpoint, model: "SharedEncoderConfig | DictConfig") -> None:
        """Refuse a checkpoint that a training of `model` on this data-bin cannot go on from.

        Raises:
            DataBinError: it belongs to another data-bin.
            CheckpointError: its model computes otherwise.
        """
        self.load_state_dict(checkpoint.get("task_state", {}))
        options = cast("dict[str, object]", OmegaConf.to_container(cast(DictConfig, model), enum_to_str=True))
        differing = differing_options(checkpoint["cfg"]["model"], options)
        if differing:
            raise CheckpointError(f"is another model than this training's: {differing}", advice=OTHER_MODEL)

    def get_checkpoint_dict(self) -> dict[str, dict[str, float]]:
        """State that fairseq keeps in checkpoints for `set_checkpoint_dict`: the count of --patience."""
        return {type(self).__name__: patience_state()}

    def set_checkpoint_dict(self, state: Mapping[str, float]) -> None:
        """Go on with what `get_checkpoint_dict` gave."""
        restore_patience(state)
