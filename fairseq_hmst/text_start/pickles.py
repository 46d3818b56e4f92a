"""Reading checkpoints of others, which could run code when loaded.

Weights alone are read, unless their source is trusted. What a trusted file names is listed first, and held to it: the
file is loaded by an unpickler that imports nothing else.
"""

import io
import logging
import pickle
import tarfile
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import numpy as np
import torch

from preprocess.errors import FileError
from preprocess.files.reading.archive import check_archive
from preprocess.files.reading.obstacle import in_a_line

from .. import compat  # noqa: F401  (lets torch read the parsed command line in fairseq's checkpoints)
from ..models.pretrained import PretrainedModelError
from .pickle_names import full_name, imported_names

logger = logging.getLogger(__name__)

NUM_PICKLES_OF_OLD_FORM = 5  # magic number, version, system, the object, keys of its tensors; then raw numbers
ZIP_BEGIN = b"PK\x03\x04"  # by which torch tells its forms apart
PICKLE_RECORD = "data.pkl"
# what reads another pickle, whose names no list would have
READING_PACKAGES = ("pickle", "_pickle", "marshal", "shelve", "joblib", "dill", "cloudpickle")
READERS = (torch.load, torch.jit.load, torch.storage._load_from_bytes, np.load)


def read_checkpoint(path: Path, trust_pickle: bool) -> object:
    """Read what torch.save wrote.

    Tensors, plain Python data and argparse.Namespace are always read; the rest only if the file is trusted.

    Args:
        path: the file.
        trust_pickle: whether classes and functions that the file names may be imported and called; they are listed
            before.

    Raises:
        PretrainedModelError: the file is not whole, names what is not trusted, or does not let itself be listed.
    """
    try:
        check_archive(path)
    except FileError as error:
        raise PretrainedModelError.of(error) from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        pass  # it holds more than weights, or is not whole
    except Exception as error:  # torch reports damage by many kinds of error
        raise PretrainedModelError(f"cannot be read: {in_a_line(error)}", place=path, advice="is it whole?") from error
    names = list_globals(path)
    if not trust_pickle:
        raise PretrainedModelError(
            f"holds more than weights and could run any code when it is loaded: it names {', '.join(names)}",
            place=path,
            advice="if you trust its source, give --trust-pickle",
        )
    logger.warning(f"{path} is loaded with all that it names: {', '.join(names)}")
    try:
        return torch.load(path, map_location="cpu", weights_only=False, pickle_module=_pickle_module(path, names))
    except PretrainedModelError:
        raise
    except Exception as error:  # whatever the code in it raises
        raise PretrainedModelError(f"cannot be read: {type(error).__name__}: {in_a_line(error)}", place=path) from error


def list_globals(path: Path) -> list[str]:
    """Classes and functions that a checkpoint names, sorted; it is only disassembled, nothing in it is run.

    Args:
        path: a file of torch.save, of its zip form or of its older one, a row of pickles.

    Raises:
        PretrainedModelError: the file is not whole, is no checkpoint, or is made so that its names cannot be told.
    """
    try:
        with path.open("rb") as file:
            is_zip = file.read(len(ZIP_BEGIN)) == ZIP_BEGIN
            file.seek(0)
            if is_zip:
                return sorted(imported_names(io.BytesIO(_read_pickle_of_zip(path))))
            if tarfile.is_tarfile(path):
                raise ValueError("it is a tar archive, the form of torch before 0.1.10")
            return sorted({name for _ in range(NUM_PICKLES_OF_OLD_FORM) for name in imported_names(file)})
    except (ValueError, RuntimeError) as error:
        raise PretrainedModelError(
            f"cannot be read: {error}", place=path, advice="is it whole, and a checkpoint?"
        ) from error


def _read_pickle_of_zip(path: Path) -> bytes:
    """The pickle that torch reads, by torch's own reader of archives; another one beside it is refused."""
    reader = torch._C.PyTorchFileReader(str(path))
    pickles = [name for name in reader.get_all_records() if name.endswith(".pkl")]
    if pickles != [PICKLE_RECORD]:  # constants.pkl, of TorchScript, is code
        raise ValueError(f"expected an archive with one pickle, {PICKLE_RECORD}, found {', '.join(pickles) or 'none'}")
    return bytes(reader.get_record(PICKLE_RECORD))


def _pickle_module(path: Path, names: Collection[str]) -> SimpleNamespace:
    """A module like `pickle` that imports nothing but `names`, and nothing that reads further pickles."""

    class ListedUnpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            wanted = full_name(module, name)
            if wanted not in names:
                raise PretrainedModelError(f"would import {wanted}, which it hid from the list", place=path)
            found: object = super().find_class(module, name)
            package = str(getattr(found, "__module__", module)).partition(".")[0]
            if package in READING_PACKAGES or any(found is reader for reader in READERS):
                raise PretrainedModelError(
                    f"would import {wanted}, which reads further pickles; their names cannot be listed", place=path
                )
            return found

    def load(file: IO[bytes], encoding: str) -> object:
        return ListedUnpickler(file, encoding=encoding).load()

    return SimpleNamespace(__name__="pickle", Unpickler=ListedUnpickler, load=load)
