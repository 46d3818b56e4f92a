"""Outputs that a search cut at its limit of length: which they are, and how a log tells of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...data.batch import Batch
    from ..hypothesis import GeneratedHypothesis

logger = logging.getLogger(__name__)


class CutCounter(logging.Handler):
    """Counts the outputs of which `warn_of_cut` tells, inside a `with` block.

    Attributes:
        count: number of outputs.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Add what a record tells of."""
        self.count += getattr(record, "num_cut", 0)

    def __enter__(self) -> CutCounter:
        logger.addHandler(self)
        return self

    def __exit__(self, *exception: object) -> None:
        logger.removeHandler(self)


def mark_cut(results: Sequence[Sequence[GeneratedHypothesis]], limits: Sequence[int] | None) -> None:
    """Set `is_cut` of each hypothesis.

    Args:
        results: hypotheses of each utterance; their last token is end of sentence.
        limits: most tokens before it of each utterance; None: there is no limit.
    """
    for row, hypotheses in enumerate(results):
        for hypothesis in hypotheses:
            hypothesis["is_cut"] = limits is not None and len(hypothesis["tokens"]) - 1 >= limits[row]


def warn_of_cut(results: Sequence[Sequence[GeneratedHypothesis]], sample: Batch) -> None:
    """Log the best hypotheses that are as long as they may be."""
    rows = [row for row, hypotheses in enumerate(results) if hypotheses and hypotheses[0]["is_cut"]]
    if not rows:
        return
    ids = sample.get("id")
    which = "" if ids is None else f" ({', '.join(f'H-{ids[row]}' for row in rows)})"
    longest = max(len(results[row][0]["tokens"]) - 1 for row in rows)
    logger.warning(
        f"{len(rows)} of {len(results)} outputs{which} reached the limit of length, {longest} tokens, and may be cut; "
        "--max-len-a and --max-len-b set it",
        extra={"num_cut": len(rows)},
    )
