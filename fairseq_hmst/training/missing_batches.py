"""The end of an epoch, where some processes have one batch less than others.

fairseq gives them an empty batch, for which they compute another one without effect. Where that ends an update of
several batches (--update-freq), it forgets the sizes of those before it in the same process, but not their gradients:
the update is too large, with N processes up to N times.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fairseq.trainer import Trainer

if TYPE_CHECKING:
    from ..data.batch import Batch

_former_train_step = Trainer.train_step


def train_step(trainer: Trainer, samples: "Sequence[Batch]", raise_oom: bool = False) -> dict[str, float] | None:
    """One update, in place of `Trainer.train_step`; an empty batch is left out where there is another."""
    present = [sample for sample in samples if sample]
    if present and not trainer.is_fsdp:  # whose processes exchange weights in each pass: all must make as many
        samples = present
    logged: dict[str, float] | None = _former_train_step(trainer, samples, raise_oom=raise_oom)
    return logged


Trainer.train_step = train_step
