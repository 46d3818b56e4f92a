"""Grids of experiments: one YAML file -> cells, each a training with its data, decoding and scores.

    out: out/prompts                   # relative to the grid's folder; {out} elsewhere stands for it
                                       # and in options and values of the recipe, {AXIS} for the cell's value of an axis
    prepare: python corpus.py --from $DATA     # makes what the recipe needs, once; environment variables are filled in
    recipe: recipe.yaml                # of `python -m preprocess run`, relative to the grid's folder
    set: {manifest.root: "{out}/corpus"}    # values of the recipe for every cell, STAGE.OPTION: VALUE
    training: --max-update 500         # options of fairseq-train for every cell
    decoding: {beam: [5], lenpen: [0.5, 1], ctc-decode-weight: [0.3, 0.5]}    # tried on dev, one after the other
    axes:                              # what may differ; the first value of each axis is its default
      setting:
        st: {options: --streams st, score: [st]}
        st+mt: {options: "--streams st,mt", score: [st, mt]}
      seed: {1: --seed 1, 2: --seed 2}
    experiments:                       # each is all combinations of the values that it names
      text-helps: {setting: [st, st+mt], seed: [1, 2], against: {setting: st}}

A value of an axis is options of fairseq-train, or a mapping of `options`, `set` (values of the recipe) and `score`
(streams of the test set that are decoded; the first also on dev). The report compares a cell with the one that differs
by `against`. Cells of several experiments are run once.
"""

import argparse
import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

AXIS_KEYS = {"options", "set", "score"}
GRID_KEYS = {"out", "prepare", "recipe", "set", "training", "decoding", "axes", "experiments"}
DECODING_KEYS = {"beam", "lenpen", "ctc-decode-weight"}


class GridError(Exception):
    """A grid is not in its form."""


@dataclass
class Cell:
    """One training: what it is called, and what is different about it."""

    values: dict[str, str]  # axis -> value, for all axes
    name: str  # values that are not an axis's default, such as setting=st.seed=2; "default" where all are
    options: list[str] = field(default_factory=list)  # of fairseq-train, after the grid's own
    settings: dict[str, str] = field(default_factory=dict)  # of the recipe
    score: list[str] = field(default_factory=lambda: ["st"])
    experiments: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Grid:
    """A grid; paths and commands with {out} filled in. Commands are run in the repository's root."""

    path: Path
    out: Path
    prepare: str
    recipe: Path
    training: list[str]
    decoding: dict[str, list[float]]
    cells: list[Cell]
    against: dict[str, dict[str, str]]  # experiment -> values of the cells that the others are compared with


def read_grid(path: Path, out: Path | None = None) -> Grid:
    """Read a grid; `out` stands before its own.

    Raises:
        GridError: the file is not in the form that this module's docstring gives.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise GridError(f"{path}: {error}") from error
    _check_keys(content, GRID_KEYS, str(path), required=GRID_KEYS)
    _check_keys(content["decoding"], DECODING_KEYS, f"{path}: decoding", required={"beam", "lenpen"})
    out = (out or path.parent / content["out"]).resolve()
    axes = {
        axis: {str(value): _axis_value(entry, f"{path}: {axis}: {value}") for value, entry in values.items()}
        for axis, values in content["axes"].items()
    }
    common = content["set"]
    cells: dict[str, Cell] = {}
    against: dict[str, dict[str, str]] = {}
    for experiment, entry in content["experiments"].items():
        chosen = dict(entry)
        against[experiment] = {axis: str(value) for axis, value in chosen.pop("against", {}).items()}
        for values in _combinations(axes, chosen, f"{path}: {experiment}"):
            cell = _make_cell(axes, values, common, out)
            cells.setdefault(cell.name, cell).experiments.append(experiment)
    return Grid(
        path,
        out,
        os.path.expandvars(content["prepare"]).replace("{out}", str(out)),
        path.parent / content["recipe"].replace("{out}", str(out)),
        content["training"].split(),
        content["decoding"],
        list(cells.values()),
        against,
    )


def parse_arguments(parser: argparse.ArgumentParser) -> tuple[Grid, argparse.Namespace]:
    """The grid that the command line names, and all arguments; a grid at fault ends the program, status 2."""
    parser.add_argument("grid", type=Path)
    parser.add_argument("--out", type=Path, help="instead of the grid's `out`")
    arguments = parser.parse_args()
    try:
        return read_grid(arguments.grid, arguments.out), arguments
    except GridError as error:
        parser.error(str(error))


def _axis_value(entry: Any, where: str) -> dict[str, Any]:
    entry = {"options": entry or ""} if isinstance(entry, str | None) else entry
    _check_keys(entry, AXIS_KEYS, where)
    return entry


def _combinations(axes: dict[str, dict[str, Any]], chosen: Any, where: str) -> list[dict[str, str]]:
    """Values of all axes, defaults where an experiment does not name an axis."""
    _check_keys(chosen, set(axes), where)
    lists = []
    for axis, known in axes.items():
        named = chosen.get(axis, [next(iter(known))])
        lists.append([str(value) for value in (named if isinstance(named, list) else [named])])
        unknown = [value for value in lists[-1] if value not in known]
        if unknown:
            raise GridError(f"{where}: {axis} has no value '{unknown[0]}'; it has: {', '.join(known)}")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*lists)]


def _make_cell(axes: dict[str, dict[str, Any]], values: dict[str, str], common: dict[str, Any], out: Path) -> Cell:
    different = [f"{axis}={value}" for axis, value in values.items() if value != next(iter(axes[axis]))]
    cell = Cell(values, ".".join(different) or "default")
    known = {"out": str(out), **values}
    for entry in ({"set": common}, *(axes[axis][value] for axis, value in values.items())):
        cell.options += _fill_in(entry.get("options", ""), known).split()
        cell.settings |= {key: _fill_in(str(setting), known) for key, setting in entry.get("set", {}).items()}
        cell.score = entry.get("score", cell.score)
    return cell


def _fill_in(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _check_keys(content: Any, known: set[str], where: str, required: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    if not isinstance(content, dict):
        raise GridError(f"{where}: expected a mapping with {', '.join(sorted(known))}")
    for problem, keys in (("unknown", content.keys() - known), ("missing", required - content.keys())):
        if keys:
            raise GridError(f"{where}: {problem} key '{min(keys)}'; expected {', '.join(sorted(known))}")
