"""Options of a component as a frozen dataclass, which a command line reads.

A field made by `option` says what a user may choose. `add_options` makes arguments of argparse from the fields of a
class, `read_options` makes the class from what was parsed. A field whose type is such a class too gives its own
options in the same command.
"""

import argparse
import dataclasses
import functools
import types
from collections.abc import Iterable, Sequence
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


def option(
    help: str,
    default: object = MISSING,
    *,
    metavar: str | None = None,
    choices: Iterable[str] | None = None,
    flag: str | None = None,
    group: str | None = None,
    has_commas: bool = False,
) -> Any:
    """A field of an options class.

    Args:
        help: meaning with unit, range and special values; the default is added to it.
        default: as of `dataclasses.field`; without one the option must be given.
        metavar: name of the value in the help.
        choices: the only values.
        flag: name on the command line, if it is not the field's.
        group: heading in the help.
        has_commas: whether values of a list may also be separated by commas.
    """
    metadata: dict[str, object] = {"help": help, "metavar": metavar, "choices": choices, "flag": flag, "group": group}
    metadata["has_commas"] = has_commas
    return dataclasses.field(default=default, metadata=metadata)


def add_options(parser: argparse.ArgumentParser, kind: type["DataclassInstance"]) -> None:
    """Add an argument for each field of an options class."""
    _add_options(parser, kind, {})


def read_options(kind: type[Options], arguments: argparse.Namespace) -> Options:
    """The options class of what was parsed.

    Raises:
        PreprocessError: a value lies out of range, as the class itself says.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            values[field.name] = read_options(hints[field.name], arguments)
        else:
            value = getattr(arguments, flag_of(field).replace("-", "_"))
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def flag_of(field: "dataclasses.Field[Any]") -> str:
    """The option's name without the dashes in front."""
    return field.metadata["flag"] or field.name.replace("_", "-")


def _add_options(
    parser: argparse.ArgumentParser, kind: type["DataclassInstance"], groups: dict[str, argparse._ArgumentGroup]
) -> None:
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            _add_options(parser, hints[field.name], groups)
            continue
        target: argparse._ActionsContainer = parser
        if group := field.metadata["group"]:
            if group not in groups:
                groups[group] = parser.add_argument_group(group)
            target = groups[group]
        _add_argument(target, field, hints[field.name])


def _add_argument(target: argparse._ActionsContainer, field: "dataclasses.Field[Any]", hint: Any) -> None:
    metadata = field.metadata
    is_required = field.default is MISSING
    name = f"--{flag_of(field)}"
    if hint is bool:
        target.add_argument(name, action="store_true", help=metadata["help"])
        return
    kind, is_list = _value_type(hint)
    shown = "" if is_required or field.default in (None, (), "") else f"; default {_shown(field.default)}"
    settings: dict[str, Any] = {
        "type": kind,
        "help": (metadata["help"] + shown).replace("%", "%%"),
        "choices": None if metadata["choices"] is None else tuple(metadata["choices"]),
        "required": is_required,
        "default": None if is_required else field.default,
    }
    if is_list:
        settings["nargs"] = "+"
    if metadata["has_commas"]:
        settings |= {"action": functools.partial(_CommaSeparated, kind=kind), "type": str}
    if metadata["metavar"]:
        settings["metavar"] = metadata["metavar"]
    target.add_argument(name, **settings)


def _value_type(hint: Any) -> tuple[type, bool]:
    """Type of one value, and whether there may be several. Hints are like `int | None`, `tuple[Path, ...]`."""
    if isinstance(hint, types.UnionType):
        (hint,) = [item for item in get_args(hint) if item is not types.NoneType]
    if get_origin(hint) in (tuple, list, Sequence):
        return get_args(hint)[0], True
    return hint, False


class _CommaSeparated(argparse.Action):
    def __init__(self, *args: Any, kind: type, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._kind = kind

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        """Keep the values of `--speeds 0.9,1 1.1`."""
        setattr(namespace, self.dest, [self._convert(word) for value in values for word in value.split(",")])

    def _convert(self, word: str) -> object:
        try:
            return self._kind(word)
        except ValueError as error:  # in the words of argparse
            raise argparse.ArgumentError(self, f"invalid {self._kind.__name__} value: {word!r}") from error


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
