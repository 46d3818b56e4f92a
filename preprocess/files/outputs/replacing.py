"""Outputs replaced in one step: all files of an output, and the lists beside it, or none.

What is new is gathered in `.NAME.gathered` beside the output NAME, under the names that it will have. Renamed to
`.NAME.whole` it counts: each file or folder in it is then moved to its place, by the run itself or, where that was
killed, by the next run before it does anything else. So either the former output or the new one can be had whole.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

WHOLE = ".whole"  # end of the name of what counts and is not in its place yet
LISTS = ("errors", "filtered")  # NAME.errors.tsv, NAME.filtered.tsv: what was left out of an output


def list_path(out: Path, kind: str) -> Path:
    """Path of a list of the output `out`, one of LISTS; where a link stands it is beside what that points to."""
    out = out.resolve() if out.is_symlink() else out
    return out.with_name(f"{out.name.removesuffix('.units')}.{kind}.tsv")


def list_path_of_run(out: Path, kind: str) -> Path:
    """Path where a run writes a list before its output is whole; that of an earlier output is left alone."""
    path = list_path(out, kind)
    return path.with_name(f"{path.name.removesuffix(f'.{kind}.tsv')}.failed.{kind}.tsv") if out.exists() else path


@contextlib.contextmanager
def gathered(path: Path, lists: Sequence[str] = ()) -> Iterator[Path]:
    """Yield the folder where the output `path` is gathered; if the block ends without an error, all is put in place.

    Args:
        path: the output; what else is gathered is put beside it.
        lists: those of LISTS that belong to the output; one that this run has not written is removed.
    """
    gathering, whole = (path.with_name(f".{path.name}{suffix}") for suffix in (".gathered", WHOLE))
    finish_replacing(path)
    _remove_half_made(path)
    gathering.mkdir(parents=True)
    try:
        yield gathering
        for kind in lists:
            _gather_list(path, kind, gathering)
        for file in gathering.rglob("*"):
            if file.is_file():
                flush_to_disk(file)
        try:
            os.replace(gathering, whole)
            finish_replacing(path)
        except BaseException:  # Ctrl-C between two renames
            finish_replacing(path)
            raise
    finally:
        shutil.rmtree(gathering, ignore_errors=True)


def finish_replacing(path: Path) -> None:
    """Put in place what was gathered whole for the output `path`; call it with the output locked."""
    whole = path.with_name(f".{path.name}{WHOLE}")
    if not whole.is_dir():
        return
    for new in sorted(whole.iterdir()):
        target = path.with_name(new.name)
        if new.is_dir():
            _replace_folder(new, target)
        elif new.stat().st_size:
            os.replace(new, target)
        else:  # stands for none
            target.unlink(missing_ok=True)
            new.unlink()
    whole.rmdir()


def remove_leftovers(path: Path) -> None:
    """Remove what a run that was killed or failed has left beside the output `path`; call `finish_replacing` first."""
    for kind in LISTS:
        pending = list_path_of_run(path, kind)
        if pending != list_path(path, kind):
            pending.unlink(missing_ok=True)
    _remove_half_made(path)


def flush_to_disk(path: Path) -> None:
    """Wait until a file's bytes are on the disk, whatever then happens to the machine."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _remove_half_made(path: Path) -> None:
    for suffix in ("partial", "gathered", "former"):
        leftover = path.with_name(f".{path.name}.{suffix}")
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)


def _gather_list(path: Path, kind: str, folder: Path) -> None:
    written, target = list_path_of_run(path, kind), list_path(path, kind)
    if written == target:  # there is no earlier output, and the list is in its place
        return
    if written.exists():
        os.replace(written, folder / target.name)
    else:
        (folder / target.name).touch()


def _replace_folder(new: Path, target: Path) -> None:
    former = target.with_name(f".{target.name}.former")
    if target.exists():
        os.replace(target, former)  # and not removed in place: a folder half removed is no output of ours
    os.replace(new, target)
    shutil.rmtree(former, ignore_errors=True)
