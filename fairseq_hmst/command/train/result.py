"""The outcome of a training."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingResult:
    """The outcome of a training.

    Attributes:
        exit_status: of fairseq-train, as a shell gives it.
        num_updates: until its end, those before it was resumed with them.
        log: fairseq's full log.
        best_checkpoint: the best of those that were saved; None where none was.
        best_scores: its scores, by the names in docs/training.md.
        message: why it ended before its end, or did not begin; "" where it went to its end.
        next_commands: command lines that could follow.
    """

    exit_status: int
    num_updates: int
    log: Path
    best_checkpoint: Path | None
    best_scores: dict[str, float]
    message: str
    next_commands: tuple[str, ...]
