"""The files that a card names: names that are allowed, and sizes and hashes as they are and as they should be.

Names are paths below the card's folder with `/` between folders. None may lead out of it, neither by itself nor through
a symbolic link, so that whoever copies, writes or reads by the names of a card stays in that folder.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import CardError, MismatchError
from ..hashing import hash_all, hash_file

COPY_AGAIN = "make the output again, or put the original file back"

# SHA-256 of each of these files; the text is shown where that takes long.
HashFinder = Callable[[Iterable[Path], str], Mapping[Path, str]]


@dataclass(frozen=True)
class FileEntry:
    """A file as it was when its card was written.

    Attributes:
        size: bytes.
        sha256: of its content, in hexadecimal.
    """

    size: int
    sha256: str


NamedFiles = Mapping[str, FileEntry]


def entry_of(path: Path) -> FileEntry:
    """Entry of a file as it is."""
    return FileEntry(path.stat().st_size, hash_file(path))


def hash_files(folder: Path, names: Iterable[str]) -> dict[str, FileEntry]:
    """Entries of files by name, for the `hashes` of a card."""
    return {name: entry_of(folder / name) for name in names}


def list_files(folder: Path) -> list[str]:
    """Names of all files in a folder and the folders in it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def is_name_within(name: str) -> bool:
    """Whether a name by itself stays in its folder: no `..`, no absolute path, no empty part, backslash or NUL."""
    return not any(part in ("", ".", "..") for part in name.split("/")) and "\\" not in name and "\0" not in name


def check_names(names: Iterable[str], place: Path) -> None:
    """Refuse names that lead out of the folder of the card at `place`.

    Raises:
        CardError: a name is not allowed.
    """
    for name in names:
        if not is_name_within(name):
            raise CardError(f"names a file outside its folder: {name!r}", place=place, advice="do not use it")


def check_sizes(folder: Path, files: NamedFiles) -> None:
    """Compare the sizes of all files with their entries; what they hold is not read.

    Raises:
        CardError: a symbolic link leads out of the folder.
        MismatchError: a file is missing, or has another size.
    """
    allowed = [*_allowed_folders(folder)]
    for name, entry in files.items():
        path = Path(folder) / name
        try:
            real = path.resolve(strict=True)
            status = real.stat()
        except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself
            raise _missing(path) from error
        if not any(real.is_relative_to(parent) for parent in allowed):
            raise CardError(
                f"is a link to {real}, outside the folder of the card that names it",
                place=path,
                advice="put the file itself there, or make a link of the whole folder",
            )
        if not stat.S_ISREG(status.st_mode):
            raise _missing(path)
        if status.st_size != entry.size:
            raise MismatchError(
                f"has changed since it was made: its card says {entry.size} bytes, found {status.st_size}",
                place=path,
                advice=COPY_AGAIN,
            )


def check_hashes(folder: Path, files: NamedFiles, find_hashes: HashFinder = hash_all) -> None:
    """Compare sizes and hashes of files with their entries.

    Args:
        folder: of the files.
        files: their entries.
        find_hashes: in place of reading all of them.

    Raises:
        CardError: a symbolic link leads out of the folder.
        MismatchError: a file is missing, or has changed.
    """
    check_sizes(folder, files)
    entries = {Path(folder) / name: entry for name, entry in files.items()}
    for path, found in find_hashes(entries, f"{folder}: compare with its card").items():
        expected = entries[path].sha256
        if found != expected:
            raise MismatchError(
                f"has changed since it was made: its card says sha256 {expected[:12]}, found {found[:12]}",
                place=path,
                advice=COPY_AGAIN,
            )


def copy_files(folder: Path, names: Iterable[str], to: Path) -> None:
    """Copy files, and the folders that they lie in; nothing else that lies there is copied."""
    for name in names:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, to / name)


def _missing(path: Path) -> MismatchError:
    return MismatchError("is missing, though its card names it", place=path, advice=COPY_AGAIN)


def _allowed_folders(folder: Path) -> Iterator[Path]:
    """The folder, and that of the hub's cache whose files a downloaded folder has links to."""
    yield Path(folder).resolve()
    for parent in Path(os.path.abspath(folder)).parents:
        if parent.name == "snapshots" and (parent.parent / "blobs").is_dir():
            yield (parent.parent / "blobs").resolve()
