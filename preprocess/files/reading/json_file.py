"""JSON files, read whole or refused: what is deep, endless, doubled or no JSON never reaches who asked for it."""

import json
import math
import stat
from pathlib import Path
from typing import NoReturn, TypeVar, overload

import msgspec

from ...errors import FileError
from .obstacle import explain_failure

Content = TypeVar("Content")

MAX_BYTES = 2**28  # 256 MiB; the largest of ours, hashes of a million files, have half of it


@overload
def read_json(path: Path) -> object: ...
@overload
def read_json(path: Path, kind: type[Content]) -> Content: ...
def read_json(path: Path, kind: type | None = None) -> object:
    """Read a JSON file in UTF-8, with a byte order mark or without.

    Args:
        path: the file.
        kind: what it must hold, as msgspec converts it; None: any JSON value.

    Raises:
        FileError: it cannot be read, is no JSON, names a key twice, holds a number that is not finite, or is not of
            this kind.
    """
    path = Path(path)
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size > MAX_BYTES:
            raise FileError(f"not valid JSON (too long: {status.st_size:,} bytes)", place=path)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        obstacle = explain_failure(path, error)
        raise FileError(f"cannot be read: {obstacle.found}", place=path, advice=obstacle.advice) from error
    except UnicodeDecodeError as error:
        raise FileError(f"not valid JSON (not UTF-8: {error.reason} at byte {error.start})", place=path) from error
    try:
        content: object = json.loads(
            text, object_pairs_hook=_without_doubles, parse_float=_finite, parse_constant=_refuse_constant
        )
    except RecursionError as error:
        raise FileError("not valid JSON (too many brackets within each other)", place=path) from error
    except ValueError as error:
        raise FileError(f"not valid JSON ({error})", place=path) from error
    if kind is None:
        return content
    try:
        return msgspec.convert(content, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise FileError(f"not in its form: {error}", place=path) from error


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key '{doubled}' stands twice")
    return content


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text} is too large")
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")
