"""Rows as the files of a corpus hold them, before any check.

A row that cannot be read is one with a fault, and so is a split that cannot be made.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import PreprocessError
from ...files.manifest import Utterance


@dataclass(frozen=True)
class Row(Utterance):
    """An utterance and its place.

    Attributes:
        location: `FILE:LINE`; of a split that cannot be read, its file or folder.
        unusable: why the corpus has no use for it in any split, such as `no translation`.
        fault: why it cannot be read; all else but the id and the place is empty then.
        is_whole_split: whether the fault is that of a split, which cannot be made.
    """

    location: str
    unusable: str = ""
    fault: PreprocessError | None = None
    is_whole_split: bool = False


def row_or_fault(make: Callable[[], Row], location: str, name: str = "") -> Row:
    """The row that `make` makes, or one with the fault that it raises.

    Args:
        make: reads the row.
        location: of the row, `FILE:LINE`.
        name: its id, as far as it is known.
    """
    try:
        return make()
    except PreprocessError as error:
        placed = error if error.places[:1] == (location,) else error.at(location)
        return _unread(placed, location, name)


def rows_or_fault(read: Callable[[], Iterable[Utterance]], location: Path) -> list[Utterance]:
    """The rows of a split, or a single one with the fault of the split.

    Args:
        read: reads the rows of a split, all from the same files.
        location: the file or folder of the split.
    """
    try:
        return list(read())
    except PreprocessError as error:
        return [_unread(error, str(location), "", is_whole_split=True)]


def location_of_row(utterance: Utterance, split: str, index: int) -> str:
    """`FILE:LINE` of a Row; of other utterances what is known, `SPLIT, row NUMBER`."""
    return utterance.location if isinstance(utterance, Row) else f"{split}, row {index + 1}"


def _unread(fault: PreprocessError, location: str, name: str, is_whole_split: bool = False) -> Row:
    return Row(
        *(name, None, 0.0, None, "", "", "", "", ""), location=location, fault=fault, is_whole_split=is_whole_split
    )
