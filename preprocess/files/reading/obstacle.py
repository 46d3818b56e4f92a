"""Why a path cannot be read as a file: what is there instead, and what to do about it."""

import errno
import functools
import os
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from ...errors import ManifestError


@dataclass(frozen=True)
class Obstacle:
    """The reason for which a file cannot be read, in the parts of an error."""

    found: str
    advice: str = ""
    is_missing: bool = False  # nothing is there


def find_obstacle(path: Path) -> Obstacle | None:
    """Find the reason for which a file cannot be read; None: there is none that can be known before it is opened."""
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        return explain_failure(path, error)
    if stat.S_ISDIR(status.st_mode):
        return Obstacle("it is a folder, not a file", "name a file in it")
    if not os.access(path, os.R_OK):
        return Obstacle(os.strerror(errno.EACCES), f"let this user read it: chmod u+r {str(path)!r}")
    return None


def is_there(path: Path) -> bool:
    """Whether something has this name: a file, a folder, a link to nothing, or what is closed to this user."""
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR)
    return True


def explain_failure(path: Path, error: Exception) -> Obstacle:
    """The reason that an error of opening or looking at a file gives."""
    if isinstance(error, ValueError):
        return Obstacle("no file can have this name: it holds the character NUL", "write the name of a file")
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENOTDIR):
        return _explain_missing(path)
    if number == errno.EISDIR:
        return Obstacle("it is a folder, not a file", "name a file in it")
    if number == errno.ENAMETOOLONG:
        longest = max(len(os.fsencode(part)) for part in path.parts)
        return Obstacle(f"{os.strerror(number)}: {longest} bytes, a name may have 255", "give the file a shorter name")
    if number == errno.EACCES:
        return _explain_permission(path)
    return Obstacle(str(getattr(error, "strerror", None) or error))


def in_a_line(error: Exception) -> str:
    """The message of another library's error, without its line breaks; its kind where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def unreadable(path: Path, error: Exception) -> ManifestError:
    """The error of a file of text that cannot be opened or read."""
    obstacle = explain_failure(Path(path), error)
    return ManifestError(f"cannot be read: {obstacle.found}", place=path, advice=obstacle.advice)


def _explain_permission(path: Path) -> Obstacle:
    for folder in reversed(path.absolute().parents):
        if not os.access(folder, os.X_OK):
            advice = f"let this user enter the folder: chmod u+x {str(folder)!r}"
            return Obstacle(os.strerror(errno.EACCES), advice)
    return Obstacle(os.strerror(errno.EACCES), f"let this user read it: chmod u+r {str(path)!r}")


def _explain_missing(path: Path) -> Obstacle:
    """Follow the path as far as it goes; where it ends, look for a name that differs by what the eye does not see."""
    folder = Path(path.anchor or ".")
    parts = path.parts[1:] if path.anchor else path.parts
    advice = ""
    for number, part in enumerate(parts):
        if not os.path.lexists(folder / part):
            same = next((name for name in _names_alike(folder).get(_key(part), ()) if name != part), None)
            if same is None:
                is_last = number == len(parts) - 1
                advice = advice if is_last or advice else f"there is no {part!r} in {folder}"
                return Obstacle(os.strerror(errno.ENOENT), advice, is_missing=True)
            advice = (
                f"there is {same!r} in {folder}, whose name differs from {part!r} by {_difference(part, same)}: rename "
                "it, or write its name as it is there"
            )
            part = same
        folder /= part
        if not advice and os.path.islink(folder) and not os.path.exists(folder):
            link = "it" if number == len(parts) - 1 else folder
            advice = f"{link} is a link to {os.readlink(folder)!r}, which is not there"
            break
    return Obstacle(os.strerror(errno.ENOENT), advice, is_missing=True)


@functools.lru_cache(maxsize=16)
def _names_alike(folder: Path) -> dict[str, list[str]]:
    """Names in a folder by what the eye sees of them; it is listed once, whatever number of files is missing."""
    names: dict[str, list[str]] = {}
    try:
        for name in sorted(os.listdir(folder)):
            names.setdefault(_key(name), []).append(name)
    except OSError:
        return {}
    return names


def _key(name: str) -> str:
    """A name without white space, case, Unicode normalisation and encoding."""
    return "".join(unicodedata.normalize("NFC", _decoded(name)).casefold().split())


def _decoded(name: str) -> str:
    """A name; one whose bytes are not UTF-8 as the Latin-1 that it is most often."""
    content = os.fsencode(name)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _difference(wanted: str, there: str) -> str:
    if _decoded(there) != there:
        return "encoding (it is not UTF-8)"
    forms = [unicodedata.normalize("NFC", name) for name in (wanted, there)]
    if forms[0] == forms[1]:
        kinds = {form: unicodedata.is_normalized(form, there) for form in ("NFD", "NFC")}
        return f"Unicode normalisation ({next((form for form, holds in kinds.items() if holds), 'mixed')} there)"
    if "".join(forms[0].split()) == "".join(forms[1].split()):
        return "white space"
    return "case" if forms[0].casefold() == forms[1].casefold() else "case, white space or Unicode normalisation"
