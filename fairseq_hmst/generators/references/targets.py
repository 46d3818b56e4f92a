"""The references of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from preprocess.errors import OptionError

if TYPE_CHECKING:
    from torch import Tensor

    from ...data.batch import Batch


def targets_of(sample: Batch) -> Tensor:
    """Targets (B, U) of a batch.

    Raises:
        OptionError: it has none, as in fairseq-interactive.
    """
    target = sample.get("target")
    if target is None:
        raise OptionError("score_reference", "needs references, which this input has none of: use fairseq-generate")
    return target
