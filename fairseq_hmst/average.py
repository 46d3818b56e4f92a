"""Average the weights of several checkpoints: `python -m fairseq_hmst.average --inputs A.pt B.pt --output AVERAGE.pt`.

Takes the flags of fairseq's scripts/average_checkpoints.py, which the wheel of fairseq does not hold.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

from . import compat  # noqa: F401  (lets torch read fairseq's checkpoints)


def average_checkpoints(paths: list[str]) -> dict[str, Any]:
    """The first checkpoint with its weights replaced by the mean over all, computed in float64.

    Raises:
        ValueError: a checkpoint has other parameters, or other shapes, than the first.
    """
    state = torch.load(paths[0], map_location="cpu", weights_only=True)
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


def main() -> int:
    """Command line; exit status 1 for checkpoints that cannot be averaged."""
    parser = argparse.ArgumentParser(prog="python -m fairseq_hmst.average", description=__doc__)
    parser.add_argument("--inputs", nargs="+", required=True, help="checkpoints of one model")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    arguments = parser.parse_args()
    temporary = arguments.output.with_name(f".{arguments.output.name}.partial")
    try:
        torch.save(average_checkpoints(arguments.inputs), temporary)
        temporary.replace(arguments.output)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        temporary.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
