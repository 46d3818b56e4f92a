"""Names of the checkpoints that fairseq writes into --save-dir."""

from pathlib import Path

LAST_CHECKPOINT = "checkpoint_last.pt"
BEST_CHECKPOINT = "checkpoint_best.pt"


def kept_best(folder: Path, metric: str) -> list[Path]:
    """The checkpoints that --keep-best-checkpoints keeps, by name.

    Args:
        folder: --save-dir.
        metric: --best-checkpoint-metric.
    """
    return sorted(folder.glob(f"checkpoint.best_{metric}_*.pt"))
