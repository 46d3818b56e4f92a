"""Recipes as they are written. One YAML file -> options by stage, each with the place where it was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..errors import RecipeError

STAGE_NAMES = ("manifest", "kmeans", "units", "subwords", "binarize")
REPLACEABLE = STAGE_NAMES[:-1]  # a finished output may stand in for these

Value = str | bool | None | list[str]


@dataclass(frozen=True)
class Option:
    """The value of one option of a stage."""

    value: Value
    folder: Path  # a relative path counts from here
    location: str  # FILE:LINE, or the command line's own words


@dataclass(frozen=True)
class Recipe:
    """Output folder and options of every stage. Stages get the rest from the stages before them."""

    path: Path
    out: Path
    options: dict[str, dict[str, Option]]  # stage -> option without dashes in front -> value
    finished: dict[str, Path]  # stage -> folder of a finished output that is used instead


def read_recipe(path: Path, out: Path | None = None, settings: Sequence[str] = ()) -> Recipe:
    """Read a recipe.

    Args:
        path: the YAML file; its paths are relative to its folder.
        out: wins over the file's own `out`.
        settings: `STAGE.OPTION=VALUE`, which win over the file's own; their paths are relative to the working
            directory.

    Raises:
        RecipeError: `FILE:LINE: ...`; the file is not in its form. Names of options are for the stages to check.
    """
    recipe = Recipe(path, Path(), {stage: {} for stage in STAGE_NAMES}, {})
    for key, node in _items(_parse(path), str(path)):
        location = f"{path}:{node.start_mark.line + 1}"
        if key == "out":
            out = out or path.parent / _scalar(node, location, "out: expected a folder")
        elif key not in STAGE_NAMES:
            raise RecipeError(f"unknown key '{key}'; a recipe has out, {', '.join(STAGE_NAMES)}", place=location)
        elif isinstance(node, yaml.ScalarNode) and node.value and key in REPLACEABLE:
            recipe.finished[key] = path.parent / node.value
        elif not (isinstance(node, yaml.ScalarNode) and not node.value):
            for name, value in _items(node, f"{location}: {key}"):
                place = f"{path}:{value.start_mark.line + 1}"
                recipe.options[key][name.replace("_", "-")] = Option(_value(value, place), path.parent, place)
    if out is None:
        raise RecipeError("expected a line `out: FOLDER`, found none", place=path)
    for setting in settings:
        _apply_setting(recipe, setting)
    return Recipe(path, out, recipe.options, recipe.finished)


def _apply_setting(recipe: Recipe, setting: str) -> None:
    location = f"--set {setting}"
    name, equals, text = setting.partition("=")
    stage, dot, option = name.partition(".")
    if not (equals and dot and option) or stage not in STAGE_NAMES:
        raise RecipeError(f"expected STAGE.OPTION=VALUE with a stage of {', '.join(STAGE_NAMES)}", place=location)
    if stage in recipe.finished:
        raise RecipeError(f"the recipe gives a finished output for {stage}, so it is not run", place=location)
    node = _compose(text, location)
    value = _value(node, location) if node is not None else None
    recipe.options[stage][option.replace("_", "-")] = Option(value, Path(), location)


def _parse(path: Path) -> yaml.Node:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot be read: {error}", place=path) from error
    node = _compose(text, str(path))
    if node is None:
        raise RecipeError("is empty; expected `out: FOLDER` and one section a stage", place=path)
    return node


def _compose(text: str, location: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise RecipeError(f"not valid YAML: {error}", place=location) from error


def _items(node: yaml.Node, where: str) -> list[tuple[str, yaml.Node]]:
    """Keys and value nodes of a mapping; YAML itself would let a second value of a key win silently."""
    if not isinstance(node, yaml.MappingNode):
        raise RecipeError("expected lines of the form `option: value`", place=where)
    items = [(str(key.value), value) for key, value in node.value]
    names = [name.replace("_", "-") for name, _ in items]
    for name, (key, _) in zip(names, node.value, strict=True):
        if names.count(name) > 1:
            raise RecipeError(f"'{name}' stands twice, once in line {key.start_mark.line + 1}", place=where)
    return items


def _value(node: yaml.Node, location: str) -> Value:
    """Scalars as they are written (`no` is Norwegian), but for true, false and nothing."""
    if isinstance(node, yaml.SequenceNode):
        return [_scalar(item, location, "expected a list of single values") for item in node.value]
    text = _scalar(node, location, "expected a value or a list of values")
    return {"true": True, "false": False, "": None, "null": None}.get(text, text)


def _scalar(node: yaml.Node, location: str, expectation: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise RecipeError(expectation, place=location)
    return node.value
