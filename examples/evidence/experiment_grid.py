"""Grids of experiments: one YAML file -> cells, each a training with its data, decoding and scores.

    out: ../out/announcements          # relative to the grid's folder; {out} elsewhere stands for it
                                       # and in options and values of the recipe, {AXIS} for the cell's value of an axis
    prepare: python corpus.py --from $DATA     # makes what the recipe needs, once; environment variables are filled in
    recipe: recipe.yaml                # of `hmst preprocess run`, relative to the grid's folder
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
import hashlib
import itertools
import json
import os
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from preprocess.errors import UserError

Stream = Literal["st", "mt"]

AXIS_KEYS = {"options", "set", "score"}
GRID_KEYS = {"out", "prepare", "recipe", "set", "training", "decoding", "axes", "experiments"}
DECODING_KEYS = {"beam", "lenpen", "ctc-decode-weight"}


class GridError(UserError):
    """A grid is not in its form."""


@dataclass(frozen=True)
class AxisValue:
    """Options and values that one value of an axis adds to its cells; {out} and {AXIS} are not filled in yet.

    Attributes:
        options: of fairseq-train.
        settings: values of the recipe.
        score: streams of the test set that are decoded; None: as the axes before it have it.
    """

    options: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    score: list[Stream] | None = None


Axes = dict[str, dict[str, AxisValue]]  # axis -> value -> what it adds


@dataclass
class Cell:
    """One training: what it is called, and what is different about it.

    Attributes:
        out: folder of everything that the grid's cells make.
        values: axis -> value, for all axes.
        name: values that are not an axis's default, such as setting=st.seed=2; "default" where all are.
        options: of fairseq-train, after the grid's own.
        settings: of the recipe.
        score: streams of the test set that are decoded; the first also on dev.
        experiments: those that it belongs to.
    """

    out: Path
    values: dict[str, str]
    name: str
    options: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    score: list[Stream] = field(default_factory=lambda: ["st"])
    experiments: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Folder of what the cell makes."""
        return self.out / "cells" / self.name

    @property
    def recipe_folder(self) -> Path:
        """Folder of everything up to the cell's data-bin; cells of the same settings share it."""
        key = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:10]
        return self.out / "data" / key

    @property
    def data_bin(self) -> Path:
        """The data-bin that the cell is trained on."""
        return self.recipe_folder / "data-bin"


@dataclass(frozen=True)
class Grid:
    """A grid; {out} is filled in. Its commands are run in the repository's root.

    Attributes:
        path: of its file.
        out: folder of everything that its cells make.
        prepare: command that makes what the recipe needs.
        recipe: of the data-bins.
        training: options of fairseq-train for every cell.
        decoding: options of fairseq-generate, and the values that are tried on dev.
        cells: each once, in the order of the experiments.
        against: experiment -> values of the cells that the others are compared with.
    """

    path: Path
    out: Path
    prepare: str
    recipe: Path
    training: list[str]
    decoding: dict[str, list[float]]
    cells: list[Cell]
    against: dict[str, dict[str, str]]


def read_grid(path: Path, out: Path | None = None) -> Grid:
    """Read a grid.

    Args:
        path: YAML file.
        out: in place of the grid's own.

    Raises:
        GridError: the file is not in the form that this module's docstring gives.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise GridError(str(error), place=path) from error
    content = _check_keys(content, GRID_KEYS, str(path), required=GRID_KEYS)
    decoding = _check_keys(content["decoding"], DECODING_KEYS, f"{path}: decoding", required={"beam", "lenpen"})
    out = (out or path.parent / content["out"]).resolve()
    axes: Axes = {
        axis: {str(value): _axis_value(entry, f"{path}: {axis}: {value}") for value, entry in values.items()}
        for axis, values in content["axes"].items()
    }
    cells: dict[str, Cell] = {}
    against: dict[str, dict[str, str]] = {}
    for experiment, entry in content["experiments"].items():
        chosen = dict(entry)
        against[experiment] = {axis: str(value) for axis, value in chosen.pop("against", {}).items()}
        for values in _combinations(axes, chosen, f"{path}: {experiment}"):
            cell = _make_cell(axes, values, AxisValue(settings=content["set"]), out, str(path))
            cells.setdefault(cell.name, cell).experiments.append(experiment)
    return Grid(
        path=path,
        out=out,
        prepare=_fill_in(os.path.expandvars(content["prepare"]), {"out": str(out)}, f"{path}: prepare"),
        recipe=Path(os.path.abspath(path.parent / _fill_in(content["recipe"], {"out": str(out)}, f"{path}: recipe"))),
        training=content["training"].split(),
        decoding=decoding,
        cells=list(cells.values()),
        against=against,
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


def _axis_value(entry: object, place: str) -> AxisValue:
    if entry is None or isinstance(entry, str):
        return AxisValue(options=entry or "")
    content = _check_keys(entry, AXIS_KEYS, place)
    return AxisValue(content.get("options", ""), content.get("set", {}), content.get("score"))


def _combinations(axes: Axes, chosen: object, place: str) -> list[dict[str, str]]:
    """Values of all axes, defaults where an experiment does not name an axis."""
    named_axes = _check_keys(chosen, set(axes), place)
    lists = []
    for axis, known in axes.items():
        named = named_axes.get(axis, [next(iter(known))])
        lists.append([str(value) for value in (named if isinstance(named, list) else [named])])
        unknown = [value for value in lists[-1] if value not in known]
        if unknown:
            raise GridError(f"{axis} has no value '{unknown[0]}'; it has: {', '.join(known)}", place=place)
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*lists)]


def _make_cell(axes: Axes, values: dict[str, str], common: AxisValue, out: Path, place: str) -> Cell:
    different = [f"{axis}={value}" for axis, value in values.items() if value != next(iter(axes[axis]))]
    cell = Cell(out, values, ".".join(different) or "default")
    known = {"out": str(out), **values}
    for added in (common, *(axes[axis][value] for axis, value in values.items())):
        cell.options += _fill_in(added.options, known, place).split()
        cell.settings |= {key: _fill_in(str(setting), known, place) for key, setting in added.settings.items()}
        cell.score = cell.score if added.score is None else added.score
    return cell


def _fill_in(text: str, known: dict[str, str], place: str) -> str:
    """The text with values in place of `{NAME}`; `${NAME}`, of the shell, stays."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise GridError(f"{found[0]} is not known; there are: {', '.join(known)}", place=place)
        return known[found[1]]

    return re.sub(r"(?<!\$)\{([^{}]*)\}", value, text)


def _check_keys(content: object, known: Set[str], place: str, required: Set[str] = frozenset()) -> dict[str, Any]:
    """The content as a mapping; a GridError if it is none, has an unknown key, or lacks one."""
    expected = ", ".join(sorted(known))
    if not isinstance(content, dict):
        raise GridError(f"expected a mapping with {expected}", place=place)
    for problem, keys in (("unknown", content.keys() - known), ("missing", required - content.keys())):
        if keys:
            raise GridError(f"{problem} key '{min(keys)}'; expected {expected}", place=place)
    return content
