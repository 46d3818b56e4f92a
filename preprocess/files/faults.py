"""Items that cannot be used: what `--on-error skip` and `--max-errors` mean, and errors.tsv, which lists them.

errors.tsv stands beside the output (FILE.errors.tsv for FILE.units, DIR.errors.tsv for a folder DIR): tab-separated
with the header `id  location  reason`, location being `FILE:LINE`. It is there only if something was left out.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import PreprocessError
from .options import option
from .whole import whole_file

logger = logging.getLogger(__name__)

ERROR_COLUMNS = ("id", "location", "reason")


@dataclass(frozen=True)
class Fault:
    """One item that was left out."""

    id: str
    location: str  # FILE:LINE
    reason: str


@dataclass(frozen=True)
class FaultOptions:
    """Options of every stage that can leave out what it cannot use."""

    on_error: str = option(
        "an item that cannot be used: stop there, or leave it out and list it in errors.tsv",
        "raise",
        choices=("raise", "skip"),
    )
    max_errors: float = option(
        "with --on-error skip, fail if more than this share of all items is left out, 0 to 1; one may be, but for 0",
        0.001,
        metavar="SHARE",
    )

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            PreprocessError: an option lies outside its range.
        """
        if self.on_error not in ("raise", "skip"):
            raise PreprocessError(f"--on-error must be raise or skip, got '{self.on_error}'")
        if not 0 <= self.max_errors <= 1:
            raise PreprocessError(f"--max-errors is a share and must lie in 0..1, got {self.max_errors}")

    @property
    def skips(self) -> bool:
        """Whether items at fault are left out."""
        return self.on_error == "skip"

    def max_faults(self, num_items: int) -> int:
        """Number of items that may be left out: a share, one at least unless the share is 0, and never all of them."""
        return min(max(int(self.max_errors * num_items), int(self.max_errors > 0)), num_items - 1)


def faults_path(out: Path) -> Path:
    """Path of the errors.tsv of the output `out`."""
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
        raise PreprocessError(
            f"expected tab-separated columns {', '.join(ERROR_COLUMNS)}",
            place=path,
            advice="make it again",
        )
    return [Fault(*row) for row in rows]


def report_faults(out: Path, faults: Sequence[Fault], num_items: int, options: FaultOptions) -> None:
    """Write the errors.tsv of the output `out`, and say how many of `num_items` were left out.

    Raises:
        PreprocessError: they are more than the options allow.
        OutputError: errors.tsv cannot be written.
    """
    write_faults(faults_path(out), faults)
    check_share(faults, num_items, options)


def check_share(faults: Sequence[Fault], num_items: int, options: FaultOptions) -> None:
    """Say how many of `num_items` were left out; call it when errors.tsv is written.

    Raises:
        PreprocessError: they are more than the options allow.
    """
    if not faults:
        return
    left_out = f"{len(faults)} of {num_items} cannot be used and are listed in errors.tsv"
    if len(faults) > options.max_faults(num_items):
        first = f"the first is '{faults[0].id}' ({faults[0].location}): {faults[0].reason}"
        if len(faults) == num_items:
            raise PreprocessError(f"{left_out}, so none is left; {first}", advice="mend them, and run again")
        raise PreprocessError(
            f"{left_out}, more than --max-errors {options.max_errors} allows; {first}",
            advice="mend them, or allow more, and run again",
        )
    logger.warning("%s", left_out)
