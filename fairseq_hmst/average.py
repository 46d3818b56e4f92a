"""The subcommand `average`: `hmst average --model A.pt B.pt ... --out AVERAGE.pt` averages weights of checkpoints."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from preprocess.errors import FileError, UserError, exit_status
from preprocess.files.outputs.held import held_file
from preprocess.files.reading.archive import check_archive
from preprocess.files.reading.finite import check_finite
from preprocess.files.whole import whole_file

if TYPE_CHECKING:
    from torch import Tensor


class FairseqCheckpoint(TypedDict):
    """A checkpoint of fairseq-train, as far as it is read here.

    Attributes:
        model: weights by name.
        cfg: configuration by part of fairseq, and by option.
        task_state: what the task keeps in its checkpoints.
    """

    model: "dict[str, Tensor]"
    cfg: dict[str, dict[str, object]]
    task_state: dict[str, dict[str, str]]


def average_checkpoints(paths: Sequence[str | Path]) -> FairseqCheckpoint:
    """The first checkpoint with its weights replaced by the mean over all, computed in float64.

    Raises:
        FileError: a file is no whole checkpoint, or would fill the memory.
        NotFiniteError: a weight is NaN or infinite.
        ValueError: one has other parameters, or other shapes, than the first.
    """
    import torch

    from . import compat  # noqa: F401  (lets torch read fairseq's checkpoints)

    def load(path: str | Path) -> FairseqCheckpoint:
        check_archive(Path(path))
        try:
            checkpoint: FairseqCheckpoint = torch.load(path, map_location="cpu", weights_only=True)
            checkpoint["model"].items()
        except Exception as error:  # torch raises whatever a file that is no checkpoint leads it to
            raise FileError("cannot be read as a checkpoint of fairseq-train", place=path) from error
        check_finite(checkpoint["model"], path, "its training went wrong: leave it out, or take an earlier one")
        return checkpoint

    state = load(paths[0])
    sums = {name: tensor.double() for name, tensor in state["model"].items()}
    for path in paths[1:]:
        weights = load(path)["model"]
        differing = sorted(
            sums.keys() ^ weights.keys()
            or {name for name, tensor in weights.items() if tensor.shape != sums[name].shape}
        )
        if differing:
            raise ValueError(f"{path} does not fit {paths[0]}: they differ in {', '.join(differing[:3])}")
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
