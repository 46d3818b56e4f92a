"""Training examples that a CTC cannot align: fewer steps than labels and blanks between equal neighbours."""

from collections.abc import Iterator

import numpy as np

from ..measures import Measures
from .warning import DataWarning, Inspected, NotChecked, warn_of_examples

KIND = "no_ctc_path"


def check_ctc_path(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Find the examples of the first split without a CTC path to target or transcript."""
    yield from warn_of_examples(
        KIND,
        [(measures, _without_path(measures)) for measures in inspected.first_split],
        "Examples without a CTC path, since their source is shorter than its labels",
        "CTC learns nothing from them. Look whether text and audio of these rows belong together (--max-length-ratio "
        "of the manifest leaves out those that do not); where they do, take fewer unit pieces (longer speech), more "
        "target pieces (shorter text), or for the text stream a larger --repeat.",
        _compare,
    )


def _without_path(measures: Measures) -> np.ndarray:
    """Indices of the examples without a path to one of their sides."""
    sides = [side for side in measures.sides if side != "source"]
    return np.flatnonzero(np.logical_or.reduce([measures.is_infeasible(side) for side in sides]))


def _compare(measures: Measures, index: int) -> str:
    """Steps of the source, and those that are needed for each side."""
    steps = measures.sides["source"].lengths[index] + measures.num_extra
    needed = [
        f"its {name} needs {side.needed[index]}"
        for name, side in measures.sides.items()
        if name != "source" and measures.is_infeasible(name)[index]
    ]
    return f"{steps} steps, {', '.join(needed)}"
