"""Results of a grid's cells: one file for all, and those of an experiment by what differs between them."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from cell import cell_folder
from grid import Cell, Grid

SEED = "seed"
Group = tuple[tuple[str, str], ...]  # axes and values of cells that differ by their seed alone
Results = dict[Group, list[tuple[Cell, dict[str, Any]]]]


def write_results(grid: Grid) -> None:
    """OUT/results.jsonl, from every finished cell, with the experiments that it belongs to."""
    lines = []
    for cell in grid.cells:
        path = cell_folder(grid, cell) / "result.json"
        if path.is_file():
            result = json.loads(path.read_text(encoding="utf-8")) | {"experiments": cell.experiments}
            lines.append(json.dumps(result, ensure_ascii=False) + "\n")
    partial = grid.out / "results.partial"
    partial.write_text("".join(lines), encoding="utf-8")
    partial.replace(grid.out / "results.jsonl")


def finished(grid: Grid, experiment: str) -> Results:
    """Cells of an experiment that have a result, by all their values but the seed."""
    groups: Results = defaultdict(list)
    for cell in grid.cells:
        path = cell_folder(grid, cell) / "result.json"
        if experiment in cell.experiments and path.is_file():
            group = tuple((axis, value) for axis, value in cell.values.items() if axis != SEED)
            groups[group].append((cell, json.loads(path.read_text(encoding="utf-8"))))
    return groups


def differing_axes(groups: Iterable[Group]) -> list[str]:
    """Axes of which the groups have more than one value."""
    values = [dict(group) for group in groups]
    return [axis for axis in values[0] if len({value[axis] for value in values}) > 1]
