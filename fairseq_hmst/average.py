"""The subcommand `average`: `hmst average --model A.pt B.pt ... --out AVERAGE.pt` averages weights of checkpoints."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from preprocess.errors import UserError, exit_status
from preprocess.files.outputs.held import held_file
from preprocess.files.reading.finite import check_finite
from preprocess.files.whole import whole_file

if TYPE_CHECKING:
    from .checkpoints.reading import FairseqCheckpoint

logger = logging.getLogger(__name__)

# fairseq's names within extra_state; the second of a training in half precision, with --ema-fp32
MOVING_AVERAGES, PRECISE_MOVING_AVERAGES = "ema", "ema_fp32_params"
EMA_HELP = "take the moving averages of weights that fairseq-train --store-ema kept, of one checkpoint or several"


def average_checkpoints(paths: Sequence[str | Path], ema: bool = False) -> "FairseqCheckpoint":
    """The first checkpoint with its weights replaced by the mean over all, computed in float64.

    Args:
        paths: of the checkpoints.
        ema: take the exponential moving averages that fairseq-train kept (--store-ema) for the weights.

    Raises:
        CheckpointError: a file is no whole checkpoint, one was trained on another data-bin than the first, or its model
            has other parameters, shapes or options.
        NotFiniteError: a weight is NaN or infinite.
        ValueError: one has no moving averages.
    """
    from . import plugin  # noqa: F401  (registers the architectures, which are compared by family)
    from .checkpoints.identity import check_alike
    from .checkpoints.reading import LOST_MODEL, CheckpointError, read_checkpoint

    def load(path: str | Path) -> "FairseqCheckpoint":
        checkpoint = read_checkpoint(path)
        if ema:
            checkpoint = _with_moving_averages(checkpoint, path)
            check_finite(checkpoint["model"], path, LOST_MODEL)
        elif MOVING_AVERAGES in checkpoint.get("extra_state", {}):
            logger.warning(f"{path}: also has moving averages of weights (--store-ema), which --ema would take instead")
        return checkpoint

    state = load(paths[0])
    sums = {name: tensor.double() for name, tensor in state["model"].items()}
    for path in paths[1:]:
        other = load(path)
        check_alike((paths[0], path), (state, other))
        weights = other["model"]
        differing = sorted(
            sums.keys() ^ weights.keys()
            or {name for name, tensor in weights.items() if tensor.shape != sums[name].shape}
        )
        if differing:
            raise CheckpointError(f"{path} does not fit {paths[0]}: they differ in {', '.join(differing[:3])}")
        for name, tensor in weights.items():
            sums[name] += tensor
    state["model"] = {name: (total / len(paths)).to(state["model"][name].dtype) for name, total in sums.items()}
    return _without_moving_averages(state)


def _with_moving_averages(checkpoint: "FairseqCheckpoint", path: str | Path) -> "FairseqCheckpoint":
    """The checkpoint with its moving averages as its weights."""
    extra_state = checkpoint.get("extra_state", {})
    if MOVING_AVERAGES not in extra_state:
        raise ValueError(f"{path}: has no moving averages of weights: it was not trained with --store-ema")
    averages = {**extra_state[MOVING_AVERAGES], **extra_state.get(PRECISE_MOVING_AVERAGES, {})}
    if missing := sorted(checkpoint["model"].keys() - averages):
        logger.warning(f"{path}: has no moving averages of {', '.join(missing)}: their last values are taken")
    return {**checkpoint, "model": {name: averages.get(name, last) for name, last in checkpoint["model"].items()}}


def _without_moving_averages(checkpoint: "FairseqCheckpoint") -> "FairseqCheckpoint":
    """The checkpoint without moving averages, which are not of what its weights are now."""
    extra_state = checkpoint.get("extra_state", {})
    if MOVING_AVERAGES not in extra_state:
        return checkpoint
    kept = extra_state.keys() - {MOVING_AVERAGES, PRECISE_MOVING_AVERAGES}
    no_averages = {"store_ema": False}
    cfg = {part: {**checkpoint["cfg"][part], **no_averages} for part in ("ema", "task")}
    return {
        **checkpoint,
        "extra_state": {name: extra_state[name] for name in kept},
        "cfg": {**checkpoint["cfg"], **cfg},
    }


def make_parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="hmst average", description="Average the weights of several checkpoints.")
    parser.add_argument(
        "--model", type=Path, nargs="+", required=True, metavar="CKPT", help="checkpoints of one training"
    )
    parser.add_argument("--ema", action="store_true", help=EMA_HELP)
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; exit status 1 for checkpoints that cannot be averaged."""
    arguments = make_parser().parse_args(argv)

    def work() -> None:
        import torch

        with held_file(arguments.out, arguments.model), whole_file(arguments.out) as temporary:
            average = average_checkpoints(arguments.model, arguments.ema)
            check_finite(average["model"], arguments.out)
            torch.save(average, temporary)

    return exit_status(work, (OSError, ValueError, UserError), "interrupted; nothing was written")
