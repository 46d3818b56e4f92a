"""Average the weights of several checkpoints: `python -m fairseq_hmst.average --inputs A.pt B.pt --output AVERAGE.pt`.

Takes the flags of fairseq's scripts/average_checkpoints.py, which the wheel of fairseq does not hold.
"""

import argparse
import sys
from pathlib import Path
from typing import TypedDict

import torch
from torch import Tensor

from preprocess.errors import OutputError
from preprocess.files.whole import whole_file

from . import compat  # noqa: F401  (lets torch read fairseq's checkpoints)


class FairseqCheckpoint(TypedDict):
    """A checkpoint of fairseq-train, as far as it is read here.

    Attributes:
        model: weights by name.
        cfg: configuration by part of fairseq, and by option.
        task_state: what the task keeps in its checkpoints.
    """

    model: dict[str, Tensor]
    cfg: dict[str, dict[str, object]]
    task_state: dict[str, dict[str, str]]


def average_checkpoints(paths: list[str]) -> FairseqCheckpoint:
    """The first checkpoint with its weights replaced by the mean over all, computed in float64.

    Raises:
        ValueError: a checkpoint has other parameters, or other shapes, than the first.
    """
    state: FairseqCheckpoint = torch.load(paths[0], map_location="cpu", weights_only=True)
    sums = {name: tensor.double() for name, tensor in state["model"].items()}
    for path in paths[1:]:
        weights = torch.load(path, map_location="cpu", weights_only=True)["model"]
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
    parser = argparse.ArgumentParser(prog="python -m fairseq_hmst.average", description=__doc__)
    parser.add_argument("--inputs", nargs="+", required=True, help="checkpoints of one model")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    return parser


def main() -> int:
    """Command line; exit status 1 for checkpoints that cannot be averaged."""
    arguments = make_parser().parse_args()
    try:
        average = average_checkpoints(arguments.inputs)
        with whole_file(arguments.output) as temporary:
            torch.save(average, temporary)
    except (OSError, ValueError, OutputError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
