"""The subcommand `average`: `hmst average --model A.pt B.pt ... --out AVERAGE.pt` averages weights of checkpoints."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from preprocess.errors import UserError, exit_status
from preprocess.files.outputs.held import held_file
from preprocess.files.reading.finite import check_finite
from preprocess.files.whole import whole_file

if TYPE_CHECKING:
    from .checkpoints.reading import FairseqCheckpoint


def average_checkpoints(paths: Sequence[str | Path]) -> "FairseqCheckpoint":
    """The first checkpoint with its weights replaced by the mean over all, computed in float64.

    Raises:
        CheckpointError: a file is no whole checkpoint, one was trained on another data-bin than the first, or its model
            has other parameters, shapes or options.
        NotFiniteError: a weight is NaN or infinite.
    """
    from . import plugin  # noqa: F401  (registers the architectures, which are compared by family)
    from .checkpoints.identity import check_alike
    from .checkpoints.reading import CheckpointError, read_checkpoint

    state = read_checkpoint(paths[0])
    sums = {name: tensor.double() for name, tensor in state["model"].items()}
    for path in paths[1:]:
        other = read_checkpoint(path)
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
    return state


def make_parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="hmst average", description="Average the weights of several checkpoints.")
    parser.add_argument(
        "--model", type=Path, nargs="+", required=True, metavar="CKPT", help="checkpoints of one training"
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; exit status 1 for checkpoints that cannot be averaged."""
    arguments = make_parser().parse_args(argv)

    def work() -> None:
        import torch

        with held_file(arguments.out, arguments.model), whole_file(arguments.out) as temporary:
            average = average_checkpoints(arguments.model)
            check_finite(average["model"], arguments.out)
            torch.save(average, temporary)

    return exit_status(work, (OSError, ValueError, UserError), "interrupted; nothing was written")
