"""The place of an output: whether what it holds may be replaced, and no input would be lost."""

import dataclasses
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...errors import CardError, OutputError
from ..cards.card import CARD_NAME, Card

ANOTHER = "name another --out"
MOST_NAMED = 10
MOUNTS = Path("/proc/self/mountinfo")  # of Linux; the fifth field of a line is where something is mounted


def check_place(out: Path, is_folder: bool) -> None:
    """Check that an output could be put at `out`, whatever it holds.

    Raises:
        OutputError: there is a mount point, a link to nothing, or a folder where a file must go or the reverse.
    """
    if out.is_symlink() and not out.exists():
        raise OutputError(f"is a link to {os.readlink(out)}, where nothing is", place=out, advice=ANOTHER)
    if not out.exists():
        return
    if not (out.is_dir() if is_folder else out.is_file()):
        kinds = ("a folder", "a file") if is_folder else ("a file", "a folder" if out.is_dir() else "a device")
        raise OutputError(f"expected {kinds[0]} to replace, found {kinds[1]}", place=out, advice=ANOTHER)
    if _is_mount_point(out.resolve()):
        raise OutputError("is a mount point, which cannot be replaced", place=out, advice="name a place below it")


def check_apart(out: Path, inputs: Iterable[Path]) -> None:
    """Check that no input would be replaced, and that no other output gets one more file.

    Raises:
        OutputError: `out` is or holds an input, or lies in an input that is an output itself.
    """
    real = out.resolve()
    for path in inputs:
        read = path.resolve()
        if read.is_relative_to(real):
            raise OutputError(f"would replace {path}, which is read", place=f"--out {out}", advice=ANOTHER)
        if real.is_relative_to(read) and (read / CARD_NAME).is_file():
            raise OutputError(f"lies in {path}, which is read", place=f"--out {out}", advice=ANOTHER)


def check_replaceable(out: Path, kind: type[Card]) -> None:
    """Check that a folder is empty, or an output of this kind and nothing more.

    Raises:
        OutputError: it is something else, or holds files that its card does not name.
    """
    if not out.is_dir() or not any(out.iterdir()):
        return
    is_not = f"exists and is not an output of {kind.made_by()}"
    if not (out / CARD_NAME).is_file():
        raise OutputError(f"{is_not}: it has no {CARD_NAME}", place=out, advice=f"{ANOTHER}, or remove it yourself")
    try:
        foreign = kind.find_foreign(out)
    except CardError as error:
        raise OutputError(
            f"{is_not}: {CARD_NAME}: {error.found}", place=out, advice=f"{ANOTHER}, or remove it yourself"
        ) from error
    if foreign:
        more = [f"and {len(foreign) - MOST_NAMED} more"] if len(foreign) > MOST_NAMED else []
        raise OutputError(
            f"holds what {kind.made_by()} has not written, and what would be lost: "
            f"{', '.join([*foreign[:MOST_NAMED], *more])}",
            place=out,
            advice=f"move it away, or {ANOTHER}",
        )


def inputs_of(*values: object) -> Iterator[Path]:
    """All paths among values, lists of values and options, but the options' own `out`."""
    for value in values:
        if isinstance(value, Path):
            yield value
        elif isinstance(value, list | tuple):
            yield from inputs_of(*value)
        elif dataclasses.is_dataclass(value):
            names = (field.name for field in dataclasses.fields(value))
            yield from inputs_of(*(getattr(value, name) for name in names if name != "out"))


def folder_of_model(name: str | None) -> Path | None:
    """The folder of a model, of which there may be a name instead; None: it is a name."""
    return Path(name) if name and name != "mfcc" and Path(name).is_dir() else None


def _is_mount_point(path: Path) -> bool:
    if os.path.ismount(path):
        return True
    try:
        mounts = MOUNTS.read_bytes().splitlines()
    except OSError:
        return False
    escaped = b"".join(b"\\%03o" % byte if byte in b" \t\n\\" else bytes([byte]) for byte in os.fsencode(path))
    return any(line.split(b" ")[4] == escaped for line in mounts)  # also what another folder of the disk is bound to
