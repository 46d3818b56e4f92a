"""The options of one stage in a recipe: wired and given ones, read by the stage's own parser."""

import argparse
import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from ..errors import PreprocessError, RecipeError
from ..files.outputs.place import check_apart, folder_of_model, inputs_of
from .file import Option, Recipe, Value

MODEL_OPTIONS = ("extractor", "text_model")  # a folder, or a name on the hub

Wiring = Mapping[str, Path | list[Path]]  # options that come from the stages before


class _RecipeParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise a RecipeError in place of an exit."""
        raise RecipeError(message, place=self.prog)


class StageOptions:
    """Options of one stage; given ones win over wired ones."""

    def __init__(
        self,
        recipe: Recipe,
        stage: str,
        wiring: Wiring,
        add_arguments: Callable[[argparse.ArgumentParser], None],
    ) -> None:
        """Find out what options the stage has.

        Args:
            recipe: whose options are given.
            stage: its name.
            wiring: options that come from the stages before.
            add_arguments: of the stage.

        Raises:
            RecipeError: the stage has a subcommand, and none of its names is given.
        """
        self._path, self._stage, self._given = recipe.path, stage, recipe.options[stage]
        self._out = Path(os.path.abspath(recipe.out))
        self._options = {name: Option(_as_written(value), Path(), "") for name, value in wiring.items()} | self._given
        self._parser = _RecipeParser(prog=stage, allow_abbrev=False, add_help=False)
        add_arguments(self._parser)
        with self.located():
            self._positional, self._known = _known_options(self._parser, self._options)

    def find_unknown(self) -> list[RecipeError]:
        """An error for each given option that the stage lacks, or that is fixed."""
        fixed = {"out", "manifest"} if self._stage == "units" else {"out"}
        return [
            RecipeError(self._explain_unknown(name), place=option.location)
            for name, option in self._given.items()
            if name not in self._known or name in fixed
        ]

    def parse(self) -> dict[str, Any]:
        """Values by name with underscores; relative paths count from where each was written.

        Raises:
            RecipeError: an option is missing, or its value is of the wrong kind.
        """
        argv = [str(self._options[self._positional].value)] if self._positional in self._options else []
        for name, option in self._options.items():
            argv += _to_words(name, option) if name != self._positional else []
        with self.located():
            values = vars(self._parser.parse_args(argv))
        for name, option in self._options.items():
            key = name.replace("-", "_")
            values[key] = _resolve(key, values[key], option.folder)
        return values

    @contextmanager
    def located(self) -> Iterator[None]:
        """Give errors below this that name a given option the place where it was given."""
        try:
            yield
        except PreprocessError as error:
            named = re.findall(r"--([a-z][a-z-]*)", error.found)
            option = next((self._given[name] for name in named if name in self._given), None)
            raise error.at(self._path if option is None else option.location) from error

    def find_missing_files(self, values: Mapping[str, object]) -> Iterator[PreprocessError]:
        """Files and folders that the recipe names and that are not there.

        A root that is fetched need not be there, nor what earlier stages make in the folder of the outputs.
        """
        for name, option in self._given.items():
            value = values[name.replace("-", "_")]
            if name == "root" and values.get("fetch"):
                continue
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Path) and Path(os.path.abspath(item)).is_relative_to(self._out):
                    continue
                if name == "mt-text" and isinstance(item, Path) and item.is_dir():
                    message = f"{self._stage}: {name} is a folder, not a file: {item}"
                elif isinstance(item, Path) and not item.exists():
                    message = f"{self._stage}: {name} does not exist: {item}"
                elif name.replace("-", "_") in MODEL_OPTIONS and _is_missing_folder(item):
                    message = f"{self._stage}: {name} is no folder: {item}"
                else:
                    continue
                yield RecipeError(message, place=option.location)

    def find_overlaps(self, values: Mapping[str, object]) -> Iterator[PreprocessError]:
        """The faults of an output that would replace what the stage reads."""
        try:
            with self.located():
                read = (self._inputs(name, value) for name, value in values.items() if name != "out")
                check_apart(Path(str(values["out"])), inputs_of(*read))
        except PreprocessError as error:
            yield error

    def _inputs(self, name: str, value: object) -> object:
        return folder_of_model(value) if name in MODEL_OPTIONS and isinstance(value, str) else value

    def _explain_unknown(self, name: str) -> str:
        known = self._known - {"out", "help"}
        close = difflib.get_close_matches(name, known, n=1)
        suggestion = f"did you mean '{close[0]}'? " if close else ""
        return f"{self._stage} has no option '{name}'; {suggestion}It has {', '.join(sorted(known))}"


def _known_options(parser: argparse.ArgumentParser, options: Mapping[str, Option]) -> tuple[str, set[str]]:
    """Name of a subcommand's choice (the `corpus` of `manifest`), if any, and of all options."""
    positional, known = "", set()
    for action in parser._actions:  # argparse has no public list
        if isinstance(action, argparse._SubParsersAction):
            positional = action.dest
            chosen = str(options[positional].value) if positional in options else "nothing"
            if chosen not in action.choices:
                choices = ", ".join(action.choices)
                raise RecipeError(f"{positional} must be one of {choices}, found {chosen}", place=parser.prog)
            known |= _known_options(action.choices[chosen], {})[1] | {positional}
        else:
            known.add(action.option_strings[-1].lstrip("-") if action.option_strings else action.dest)
    return positional, known


def _as_written(value: Path | list[Path]) -> Value:
    return [str(item) for item in value] if isinstance(value, list) else str(value)


def _to_words(name: str, option: Option) -> list[str]:
    value = option.value
    if value is None or value is False:
        return []
    if value is True:
        return [f"--{name}"]
    return [f"--{name}", *value] if isinstance(value, list) else [f"--{name}={value}"]


def _resolve(key: str, value: object, folder: Path) -> object:
    """A value whose paths count from `folder`; so does the name of a model that is a folder there."""
    if isinstance(value, list):
        return [folder / item if isinstance(item, Path) else item for item in value]
    if isinstance(value, Path):
        return folder / value
    if key in MODEL_OPTIONS and isinstance(value, str) and value != "mfcc" and value and (folder / value).is_dir():
        return str(folder / value)
    return value


def _is_missing_folder(value: object) -> bool:
    # not a name on the hub such as microsoft/wavlm-large
    is_path = isinstance(value, str) and (value.startswith((".", "/", "~")) or value.count("/") > 1)
    return is_path and not Path(str(value)).is_dir()
