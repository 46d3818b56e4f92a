"""The card of a model folder as its seal: hashes of all files and of itself, written at the end and checked first."""

import fnmatch
import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import ModelFolderError

CARD_NAME = "card.json"
OWN_HASH = "card_hash"


def seal(folder: Path, card: dict[str, Any], unsealed: set[str]) -> None:
    """Write folder/card.json: `card` with the hashes of all files but those at the paths `unsealed`."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    hashes = {name: hash_file(folder / name) for name in names if name not in {CARD_NAME, *unsealed}}
    card = card | {"hashes": hashes}
    write_json(folder / CARD_NAME, card | {OWN_HASH: _hash_card(card)})


def check_seal(folder: Path, card: dict[str, Any], allowed: list[str]) -> None:
    """Check a card against itself, and every file that it names against its hash.

    Raises:
        ModelFolderError: the card or a file was changed, a file is missing, or the card names one outside the folder
            or one whose name matches none of the patterns `allowed`.
    """
    path, hashes = folder / CARD_NAME, card.get("hashes")
    rest = {key: value for key, value in card.items() if key != OWN_HASH}
    if not isinstance(hashes, dict) or card.get(OWN_HASH) != _hash_card(rest):
        raise ModelFolderError(f"{path} is not the file that was exported; copy or export the folder again")
    for name, expected in hashes.items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ModelFolderError(f"{path}: names a file outside the folder: {name}")
        if not any(fnmatch.fnmatch(name, pattern) for pattern in allowed):
            raise ModelFolderError(f"{path}: names a file of a kind that a model folder does not have: {name}")
        if not (folder / name).is_file():
            raise ModelFolderError(
                f"{folder / name} is missing, though {CARD_NAME} names it; copy or export the folder again"
            )
        found = hash_file(folder / name)
        if found != expected:
            raise ModelFolderError(
                f"{folder / name} is not the file that was exported: {CARD_NAME} says sha256 {str(expected)[:12]}, "
                f"found {found[:12]}; copy or export the folder again"
            )


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ModelFolderError: there is no such file, or it holds something else.
    """
    if not path.is_file():
        raise ModelFolderError(f"{path.parent} is not a whole model folder: it has no {path.name}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelFolderError(f"{path}: not valid JSON: {error}; copy or export the folder again") from error
    if not isinstance(content, dict):
        raise ModelFolderError(f"{path}: expected an object, found {type(content).__name__}")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object, indented."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _hash_card(card: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()
