"""Recipes as they are written. One YAML file -> options by section, each with the place where it was given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..errors import RecipeError
from ..files.reading.obstacle import in_a_line, unreadable
from .presets import PRESETS

STAGE_NAMES = ("manifest", "kmeans", "units", "subwords", "binarize")
REPLACEABLE = STAGE_NAMES[:-1]  # a finished output may stand in for these
# What follows the data-bin; the stages leave these to `hmst run`.
ROAD_NAMES = ("train", "decode", "export")
TEXT_PIECES = ("source-vocab", "target-vocab")  # a text model brings its own
SECTIONS = (*STAGE_NAMES, *ROAD_NAMES)
MAX_DEPTH = 10  # a list in a section has 3
QUOTE = "a value that begins so is written in quotes"

Value = str | bool | None | list[str]


@dataclass(frozen=True)
class Option:
    """The value of one option of a section."""

    value: Value
    folder: Path  # a relative path counts from here
    location: str  # FILE:LINE, or the command line's own words, or the preset


@dataclass(frozen=True)
class Recipe:
    """Output folder and options of every section. Stages get the rest from the stages before them."""

    path: Path
    out: Path
    options: dict[str, dict[str, Option]]  # section -> option without dashes in front -> value
    finished: dict[str, Path]  # stage -> folder of a finished output that is used instead


def read_recipe(
    path: Path, out: Path | None = None, settings: Sequence[str] = (), faults: list[RecipeError] | None = None
) -> Recipe:
    """Read a recipe.

    Args:
        path: the YAML file; its paths are relative to its folder.
        out: wins over the file's own `out`.
        settings: `SECTION.OPTION=VALUE`, which win over the file's own; their paths are relative to the working
            directory.

        faults: unknown keys are added here, and left out, in place of raising the first.

    Raises:
        RecipeError: `FILE:LINE: ...`; the file is not in its form. Names of options are for the stages to check.
    """
    recipe = Recipe(path, Path(), {section: {} for section in SECTIONS}, {})
    preset: tuple[str, str] | None = None
    for key, node in _items(_parse(path), str(path)):
        location = f"{path}:{node.start_mark.line + 1}"
        if key == "out":
            name = _scalar(node, location, "out: expected a folder")
            if not name or name == "null":
                raise RecipeError("out: expected a folder, found nothing", place=location)
            out = out or path.parent / name
        elif key == "preset":
            preset = _scalar(node, location, "preset: expected a name"), location
        elif key not in SECTIONS:
            error = RecipeError(f"unknown key '{key}'; a recipe has out, preset, {', '.join(SECTIONS)}", place=location)
            if faults is None:
                raise error
            faults.append(error)
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
    if preset is not None:
        _apply_preset(recipe, *preset)
    return Recipe(path, out, recipe.options, recipe.finished)


def _apply_preset(recipe: Recipe, name: str, location: str) -> None:
    """Fill in what the recipe leaves open; a finished output has no options."""
    if name not in PRESETS:
        raise RecipeError(f"preset must be one of {', '.join(PRESETS)}, found '{name}'", place=location)
    is_made = {section: section not in recipe.finished for section in SECTIONS}
    is_made["kmeans"] &= "units" not in recipe.finished
    for section, values in PRESETS[name].items():
        if is_made[section]:
            given = recipe.options[section]
            left_out = TEXT_PIECES if "text-model" in given else ()
            filled_in = {
                option: Option(value, recipe.path.parent, f"preset {name}")
                for option, value in values.items()
                if option not in left_out
            }
            recipe.options[section] = filled_in | given


def _apply_setting(recipe: Recipe, setting: str) -> None:
    location = f"--set {setting}"
    name, equals, text = setting.partition("=")
    stage, dot, option = name.partition(".")
    if not (equals and dot and option) or stage not in SECTIONS:
        raise RecipeError(f"expected SECTION.OPTION=VALUE with one of {', '.join(SECTIONS)}", place=location)
    if stage in recipe.finished:
        raise RecipeError(f"the recipe gives a finished output for {stage}, so it is not run", place=location)
    node = _compose(text, location)
    value = _value(node, location) if node is not None else None
    recipe.options[stage][option.replace("_", "-")] = Option(value, Path(), location)


def _parse(path: Path) -> yaml.Node:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"not UTF-8: {error.reason} at byte {error.start}", place=path) from error
    except (OSError, ValueError) as error:
        raise RecipeError.of(unreadable(path, error)) from error
    node = _compose(text, str(path))
    if node is None:
        raise RecipeError("is empty; expected `out: FOLDER` and one section a stage", place=path)
    return node


def _compose(text: str, location: str) -> yaml.Node | None:
    try:
        _check_events(yaml.parse(text, Loader=yaml.SafeLoader), location)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise RecipeError(f"not valid YAML: {in_a_line(error)}", place=location) from error


def _check_events(events: Iterable[yaml.Event], location: str) -> None:
    """Refuse what YAML has for programs: anchors, which could make a small file large, and tags; and deep brackets."""
    depth = 0
    for event in events:
        place = f"{location}:{event.start_mark.line + 1}" if event.start_mark else location
        tag = getattr(event, "tag", None)
        if getattr(event, "anchor", None) is not None:
            raise RecipeError("anchors and aliases (& and *) have no place in a recipe", place=place, advice=QUOTE)
        if tag is not None:
            raise RecipeError(f"the tag {tag} has no place in a recipe", place=place, advice=QUOTE)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise RecipeError(f"more than {MAX_DEPTH} brackets or indentations within each other", place=place)


def _items(node: yaml.Node, where: str) -> list[tuple[str, yaml.Node]]:
    """Keys and value nodes of a mapping; YAML itself would let a second value of a key win silently."""
    if not isinstance(node, yaml.MappingNode):
        raise RecipeError("expected lines of the form `option: value`", place=where)
    items = [(_scalar(key, where, "expected a name before the colon"), value) for key, value in node.value]
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
