"""Reading checkpoints of others, which could run code when loaded.

Weights alone are read, unless their source is trusted.
"""

import io
import logging
import pickle
import pickletools
import zipfile
from pathlib import Path
from typing import IO

import torch

from .. import compat  # noqa: F401  (lets torch read the parsed command line in fairseq's checkpoints)
from ..models.pretrained import PretrainedModelError

logger = logging.getLogger(__name__)

NUM_PICKLES_OF_OLD_FORM = 5  # magic number, version, system, the object, keys of its tensors; then raw numbers


def read_checkpoint(path: Path, trust_pickle: bool) -> object:
    """Read what torch.save wrote.

    Tensors, plain Python data and argparse.Namespace are always read; the rest only if the file is trusted.

    Args:
        path: the file.
        trust_pickle: whether classes and functions that the file names may be imported and called; they are listed
            before.

    Raises:
        PretrainedModelError: the file is not whole, or names what is not trusted.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        pass  # it holds more than weights, or is not whole
    except Exception as error:  # torch reports damage by many kinds of error
        raise PretrainedModelError(f"cannot be read: {error}", place=path, advice="is it whole?") from error
    names = list_globals(path)
    if not trust_pickle:
        raise PretrainedModelError(
            f"holds more than weights and could run any code when it is loaded: it names {', '.join(names)}",
            place=path,
            advice="if you trust its source, give --trust-pickle",
        )
    logger.warning(f"{path} is loaded with all that it names: {', '.join(names)}")
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # whatever the code in it raises
        raise PretrainedModelError(f"cannot be read: {type(error).__name__}: {error}", place=path) from error


def list_globals(path: Path) -> list[str]:
    """Classes and functions that a checkpoint names, sorted; it is only disassembled, nothing in it is run.

    Args:
        path: a file of torch.save, of its zip form or of its older one, a row of pickles.

    Raises:
        PretrainedModelError: the file is not whole, or no checkpoint.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
                return sorted(_globals(io.BytesIO(archive.read(name))))
        with path.open("rb") as file:
            return sorted({name for _ in range(NUM_PICKLES_OF_OLD_FORM) for name in _globals(file)})
    except (ValueError, StopIteration, zipfile.BadZipFile) as error:
        raise PretrainedModelError(
            f"cannot be read: {error}", place=path, advice="is it whole, and a checkpoint?"
        ) from error


def _globals(file: IO[bytes]) -> set[str]:
    names: set[str] = set()
    strings: list[str] = []  # what STACK_GLOBAL takes its two names from
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in ("GLOBAL", "INST"):
            names.add(str(argument).replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            names.add(".".join(strings[-2:]))
        elif isinstance(argument, str):
            strings.append(argument)
    return names
