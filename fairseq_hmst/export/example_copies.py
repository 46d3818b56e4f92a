"""Copies of recordings to try a model with."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ..model_folder.errors import ModelFolderError
from ..model_folder.folder import EXAMPLE_SUFFIXES, EXAMPLES_NAME
from ..translate.recordings.reading import read_length


def copy_examples(recordings: Sequence[Path], folder: Path) -> None:
    """Copy recordings into FOLDER/examples.

    Raises:
        ModelFolderError: one is not readable as sound, or its name is that of another, or none that a model folder has.
    """
    examples = folder / EXAMPLES_NAME
    for path in recordings:
        if path.suffix not in EXAMPLE_SUFFIXES:
            raise ModelFolderError(f"an example must be one of {', '.join(EXAMPLE_SUFFIXES)}", place=path)
        if read_length(path) is None:
            raise ModelFolderError("an example that cannot be read as sound", place=path)
        if (examples / path.name).exists():
            raise ModelFolderError("two examples have this name", place=path.name, advice="rename one")
        examples.mkdir(exist_ok=True)
        shutil.copyfile(path, examples / path.name)
