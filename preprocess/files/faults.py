"""Items that cannot be used: what `--on-error skip` and `--max-errors` mean, and errors.tsv, which lists them.

errors.tsv stands beside the output (FILE.errors.tsv for FILE.units, DIR.errors.tsv for a folder DIR): tab-separated
with the header `id  location  reason`, location being `FILE:LINE`. It is there only if something was left out, or if
a run ended for several items at once; where there is an earlier output, which keeps its own, such a run writes
FILE.failed.errors.tsv instead. What stands in a field is escaped as `reading.escaping` says.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ..errors import PreprocessError
from .outputs.replacing import list_path, list_path_of_run
from .program.options import option
from .reading.escaping import escape_field, unescape_field
from .reading.obstacle import unreadable
from .whole import whole_file

logger = logging.getLogger(__name__)

ERROR_COLUMNS = ("id", "location", "reason")
SHORT_NAME = "errors.tsv"
MOST_LISTED = 20  # in an error of many


@dataclass(frozen=True)
class Fault:
    """One item that was left out."""

    id: str
    location: str  # FILE:LINE
    reason: str
    error: PreprocessError | None = field(default=None, compare=False, repr=False)  # where it is known, with its places

    @classmethod
    def of(cls, error: PreprocessError, id: str, location: str) -> "Fault":
        """The fault that an error means; its reason leaves out the places that name the item."""
        own = (location, f"utterance '{id}'")
        num_own = next((index for index, place in enumerate(error.places) if place not in own), len(error.places))
        return cls(id, location, str(error.without_places(num_own)), error)

    def as_error(self) -> PreprocessError:
        """The fault as an error with its places."""
        return self.error or PreprocessError(self.reason, place=self.location)


FaultSink = Callable[[PreprocessError], None]  # is given what is wrong with an item, in place of the item
Item = TypeVar("Item")
Made = TypeVar("Made")


def raise_fault(error: PreprocessError) -> None:
    """The sink of readers for whom the first fault is the end."""
    raise error


def make_usable(items: Iterable[Item], make: Callable[[Item], Made], at_fault: FaultSink) -> Iterator[Made]:
    """Yield what `make` makes of each item; errors of the others go to `at_fault`."""
    for item in items:
        try:
            made = make(item)
        except PreprocessError as error:
            at_fault(error)
        else:
            yield made


def joined_error(errors: Sequence[PreprocessError], what: str, listed_in: Path | None = None) -> PreprocessError:
    """Several errors as one, which says how many there are and lists the first; a single one stays as it is.

    Args:
        errors: one at least, with their places.
        what: is at fault, such as `rows`.
        listed_in: the file that lists all of them.
    """
    if len(errors) == 1:
        return errors[0]
    where = f" ({listed_in} lists all of them)" if listed_in is not None else ""
    lines = [f"{len(errors)} {what} cannot be used{where}:", *(f"  {error}" for error in errors[:MOST_LISTED])]
    if len(errors) > MOST_LISTED:
        lines.append(f"  and {len(errors) - MOST_LISTED} more")
    kind = type(errors[0]) if len({type(error) for error in errors}) == 1 else PreprocessError
    return kind("\n".join(lines))


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
    return list_path(out, "errors")


def write_faults(path: Path, faults: Sequence[Fault]) -> None:
    """Write errors.tsv, or remove that of an earlier run if nothing was left out.

    Raises:
        OutputError: it cannot be written.
    """
    if not faults:
        path.unlink(missing_ok=True)
        return
    rows = [ERROR_COLUMNS, *((fault.id, fault.location, fault.reason) for fault in faults)]
    lines = ("\t".join(map(escape_field, row)) + "\n" for row in rows)
    with whole_file(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8", newline="\n")


def read_faults(path: Path) -> list[Fault]:
    """Read errors.tsv; [] if there is none.

    Raises:
        PreprocessError: it is not in its form.
    """
    if not path.is_file():
        return []
    try:
        header, *lines = path.read_bytes().decode().removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    rows = [line.split("\t") for line in lines]
    if header.split("\t") != list(ERROR_COLUMNS) or any(len(row) != len(ERROR_COLUMNS) for row in rows):
        raise PreprocessError(
            f"expected tab-separated columns {', '.join(ERROR_COLUMNS)}",
            place=path,
            advice="make it again",
        )
    return [Fault(unescape_field(name), unescape_field(place), unescape_field(why)) for name, place, why in rows]


def report_faults(
    out: Path,
    faults: Sequence[Fault],
    num_items: int,
    options: FaultOptions,
    unmade: Sequence[Fault] = (),
) -> None:
    """Write the errors.tsv of the output `out`, and say how many of `num_items` were left out.

    Args:
        out: the output.
        faults: items at fault.
        num_items: all items, those at fault among them.
        options: say whether they may be left out, and how many.
        unmade: what is at fault as a whole, such as a split, and counts as no item.

    Raises:
        PreprocessError: the options do not let them out: of several the error lists the first, and errors.tsv all.
        OutputError: errors.tsv cannot be written.
    """
    found = [*unmade, *faults]
    path = list_path_of_run(out, "errors")
    if options.skips:
        write_faults(path, found)
        check_share(faults, num_items, options, SHORT_NAME if path == faults_path(out) else path.name)
        return
    write_faults(path, found if len(found) > 1 else ())  # a single one is told in full
    if found:
        raise joined_error([fault.as_error() for fault in found], "items", path)


def check_share(faults: Sequence[Fault], num_items: int, options: FaultOptions, listed_in: str = SHORT_NAME) -> None:
    """Say how many of `num_items` were left out; call it when errors.tsv is written.

    Args:
        faults: of the items that were left out.
        num_items: all of them.
        options: say how many may be left out.
        listed_in: name of the list where they are more; else it will be errors.tsv.

    Raises:
        PreprocessError: they are more than the options allow.
    """
    if not faults:
        return
    left_out = f"{len(faults)} of {num_items} cannot be used and are listed in"
    if len(faults) > options.max_faults(num_items):
        first = f"the first is '{faults[0].id}' ({faults[0].location}): {faults[0].reason}"
        if len(faults) == num_items:
            raise PreprocessError(
                f"{left_out} {listed_in}, so none is left; {first}", advice="mend them, and run again"
            )
        raise PreprocessError(
            f"{left_out} {listed_in}, more than --max-errors {options.max_errors} allows; {first}",
            advice="mend them, or allow more, and run again",
        )
    logger.warning("%s %s", left_out, SHORT_NAME)
