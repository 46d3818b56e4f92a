"""Items that cannot be used: what `--on-error skip` and `--max-errors` mean, and errors.tsv, which lists them.

errors.tsv stands beside the output (FILE.errors.tsv for FILE.units, DIR.errors.tsv for a folder DIR): tab-separated
with the header `id  location  reason`, location being `FILE:LINE`. It is there only if something was left out.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import PreprocessError
from .outputs import whole_file

logger = logging.getLogger(__name__)

ERROR_COLUMNS = ("id", "location", "reason")


@dataclass(frozen=True)
class Fault:
    """One item that was left out."""

    id: str
    location: str  # FILE:LINE
    reason: str


def add_fault_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of every stage that can leave out what it cannot use."""
    parser.add_argument(
        "--on-error",
        choices=("raise", "skip"),
        default="raise",
        help="an item that cannot be used: stop there, or leave it out and list it in errors.tsv; default %(default)s",
    )
    parser.add_argument(
        "--max-errors",
        type=float,
        default=0.001,
        metavar="SHARE",
        help="with --on-error skip, fail if more than this share of all items is left out; default %(default)s",
    )


def check_max_errors(max_errors: float) -> None:
    """Check the option, before any work.

    Raises:
        PreprocessError: it is no share.
    """
    if not 0 <= max_errors <= 1:
        raise PreprocessError(f"--max-errors is a share and must lie in 0..1, got {max_errors}")


def faults_path(out: Path) -> Path:
    """Where errors.tsv of the output `out` stands."""
    return out.with_name(f"{out.name.removesuffix('.units')}.errors.tsv")


def write_faults(path: Path, faults: Sequence[Fault]) -> None:
    """Write errors.tsv, or remove that of an earlier run if nothing was left out.

    Raises:
        OutputError: it cannot be written.
    """
    if not faults:
        path.unlink(missing_ok=True)
        return
    rows = [ERROR_COLUMNS, *((fault.id, fault.location, " ".join(fault.reason.split())) for fault in faults)]
    with whole_file(path) as temporary:
        temporary.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8", newline="\n")


def read_faults(path: Path) -> list[Fault]:
    """Read errors.tsv; [] if there is none.

    Raises:
        PreprocessError: it is not in its form.
    """
    if not path.is_file():
        return []
    header, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    rows = [line.split("\t") for line in lines]
    if header.split("\t") != list(ERROR_COLUMNS) or any(len(row) != len(ERROR_COLUMNS) for row in rows):
        raise PreprocessError(f"{path}: expected tab-separated columns {', '.join(ERROR_COLUMNS)}; make it again")
    return [Fault(*row) for row in rows]


def check_share(faults: Sequence[Fault], num_items: int, max_errors: float) -> None:
    """Say how many of `num_items` were left out; call it when errors.tsv is written.

    Raises:
        PreprocessError: they are more than the share `max_errors`.
    """
    if not faults:
        return
    left_out = f"{len(faults)} of {num_items} cannot be used and are listed in errors.tsv"
    if len(faults) > max_errors * num_items:
        raise PreprocessError(
            f"{left_out}, more than --max-errors {max_errors} allows; the first is '{faults[0].id}' "
            f"({faults[0].location}): {faults[0].reason}\nmend them, or allow more, and run again"
        )
    logger.warning("%s", left_out)
