"""JSON files that hold one object of any form, such as those of Hugging Face's models."""

from collections.abc import Mapping
from pathlib import Path

from preprocess.errors import FileError
from preprocess.files.reading.escaping import to_json
from preprocess.files.reading.json_file import read_json

from .errors import ModelFolderError


def read_object(path: Path) -> dict[str, object]:
    """Read the object in a JSON file.

    Raises:
        ModelFolderError: there is no such file, or it holds something else.
    """
    try:
        content = read_json(path)
    except FileError as error:
        raise ModelFolderError.of(error, error.advice or "copy the file again") from error
    if not isinstance(content, dict):
        raise ModelFolderError(f"expected an object, found {type(content).__name__}", place=path)
    return content


def write_object(path: Path, content: Mapping[str, object]) -> None:
    """Write an object, indented."""
    path.write_text(to_json(content, indent=2) + "\n", encoding="utf-8")
