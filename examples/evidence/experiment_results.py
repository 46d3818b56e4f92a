"""Results of a grid's cells: one file for all, and those of an experiment by what differs between them."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from experiment_grid import Cell, Grid

from preprocess.files.whole import whole_file

SEED = "seed"
Group = tuple[tuple[str, str], ...]  # axes and values of cells that differ by their seed alone
Curve = dict[str, float]  # updates -> value on dev


class StreamScore(TypedDict):
    """Scores of the test set of one stream; see `CorpusScore`."""

    bleu: float
    chrf: float
    bp: float
    bleu_signature: str


class Result(TypedDict, total=False):
    """A cell's result.json, as far as reports read it.

    Attributes:
        signature: of the data-bin.
        st, mt: scores of the streams that the cell decodes.
        bleu_curve, nll_curve: see `read_curves`.
    """

    signature: str
    st: StreamScore
    mt: StreamScore
    bleu_curve: Curve
    nll_curve: Curve


Results = dict[Group, list[tuple[Cell, Result]]]


def read_result(folder: Path) -> Result | None:
    """The result of the cell in a folder; None where it is not finished."""
    path = folder / "result.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_results(grid: Grid) -> None:
    """Write OUT/results.jsonl: every finished cell, with the experiments that it belongs to."""
    lines = []
    for cell in grid.cells:
        if (result := read_result(cell.folder)) is not None:
            lines.append(json.dumps({**result, "experiments": cell.experiments}, ensure_ascii=False) + "\n")
    with whole_file(grid.out / "results.jsonl") as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def finished(grid: Grid, experiment: str) -> Results:
    """Cells of an experiment that have a result, by all their values but the seed."""
    groups: Results = defaultdict(list)
    for cell in grid.cells:
        if experiment in cell.experiments and (result := read_result(cell.folder)) is not None:
            groups[tuple((axis, value) for axis, value in cell.values.items() if axis != SEED)].append((cell, result))
    return groups


def differing_axes(groups: Iterable[Group]) -> list[str]:
    """Axes of which the groups have more than one value."""
    values = [dict(group) for group in groups]
    return [axis for axis in values[0] if len({value[axis] for value in values}) > 1]
