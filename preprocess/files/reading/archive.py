"""Zip archives of arrays (.npz of numpy, .pt of torch), looked through before anything in them is unpacked."""

import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import FileError
from .obstacle import explain_failure, in_a_line

BROKEN = "is damaged, or no archive of arrays"
# numpy and torch pack nothing when they save; who packs arrays of floats gains a third
MAX_RATIO = 20


def check_archive(path: Path) -> None:
    """Refuse a zip archive that was damaged, or would fill the memory; a file of another form is not looked at.

    The checksums in it are compared, which torch and numpy leave out, or come to late.

    Raises:
        FileError: there is no such file, it is a folder, it was cut or changed, or what it holds is larger by far than
            the file.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if not zipfile.is_zipfile(path) and not path.is_dir():
            return
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            damaged = archive.testzip() if unpacked <= MAX_RATIO * size else None
    except OSError as error:
        obstacle = explain_failure(path, error)
        raise FileError(f"cannot be read: {obstacle.found}", place=path, advice=obstacle.advice) from error
    except Exception as error:  # zipfile raises whatever a damaged file leads it to
        raise FileError(f"{BROKEN}: {in_a_line(error)}", place=path) from error
    if unpacked > MAX_RATIO * size:
        raise FileError(f"would be {unpacked:,} bytes when unpacked, {unpacked // size} times its size", place=path)
    if damaged is not None:
        raise FileError(f"was damaged after it was written, in {damaged}", place=path)


def read_array(path: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Read one array of numbers of an .npz file, without pickle.

    Args:
        path: the file.
        name: of the array.
        shape: that it must have; the array is not read where it has another.

    Raises:
        FileError: the file cannot be read, or has no such array.
    """
    check_archive(path)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            found = _read_header(member)
        if found != shape:
            raise FileError(f"expected {name} of the shape {shape}, found {found}", place=path)
        with np.load(path, allow_pickle=False) as arrays:
            array: np.ndarray = arrays[name]
    except FileError:
        raise
    except Exception as error:  # numpy and zipfile raise whatever a damaged file leads them to
        raise FileError(f"{BROKEN}: {in_a_line(error)}", place=path) from error
    if array.dtype.kind != "f":
        raise FileError(f"expected {name} to hold floating-point numbers, found {array.dtype}", place=path)
    return array


def _read_header(member: IO[bytes]) -> tuple[int, ...]:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape: tuple[int, ...] = read(member)[0]
    return shape
