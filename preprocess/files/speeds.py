"""Speeds of speech: the rows of a manifest at other speeds than their own (Ko et al. 2015), and their ids.

A row at speed 0.9 is called `sp0.9-ID`, as Kaldi calls it; at speed 1 it keeps its id. Who changes the audio is
`speech.audio.samples.change_speed`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from ..errors import ManifestError, PreprocessError
from .manifest import Utterance, places_of

ONE_SPEED = (1.0,)  # as it was spoken
MIN_SPEED, MAX_SPEED = 0.5, 2.0
SPEED_DECIMALS = 3  # so many give a whole number of samples a second, and an id that says all of the speed
HELD_OUT = ("dev.tsv", "test*.tsv")  # manifests whose speech must stay as it is


def check_speeds(speeds: Sequence[float]) -> None:
    """Check the option --speeds.

    Raises:
        PreprocessError: a speed lies out of range, has too many decimals or occurs twice, or 1 is not among them.
    """
    for index, speed in enumerate(speeds):
        if not MIN_SPEED <= speed <= MAX_SPEED:
            raise PreprocessError(f"--speeds must lie in {MIN_SPEED:g}..{MAX_SPEED:g}, got {speed:g}")
        if round(speed, SPEED_DECIMALS) != speed:
            raise PreprocessError(f"--speeds must have at most {SPEED_DECIMALS} decimals, got {speed!r}")
        if speed in speeds[:index]:
            raise PreprocessError(f"--speeds must differ, got {speed:g} twice")
    if 1 not in speeds:
        found = format_speeds(speeds) or "none"
        raise PreprocessError(f"--speeds must have 1 among them, speech as it is, got {found}")


def check_speeds_fit(speeds: Sequence[float], manifest: Path) -> None:
    """Check that a manifest may have speech at these speeds.

    Raises:
        PreprocessError: it is dev.tsv or test*.tsv, and a speed is not 1.
    """
    if tuple(speeds) != ONE_SPEED and any(fnmatchcase(manifest.name, pattern) for pattern in HELD_OUT):
        raise PreprocessError(
            f"--speeds {format_speeds(speeds)} is for train alone, not for {' and '.join(HELD_OUT)}",
            place=manifest,
            advice="leave --speeds out: what is measured is speech as it was spoken",
        )


def in_order(speeds: Iterable[float]) -> tuple[float, ...]:
    """The speeds as lines of units follow each other: 1, then the others, the slowest first."""
    return tuple(sorted(map(float, speeds), key=lambda speed: (speed != 1, speed)))


def format_speeds(speeds: Iterable[float]) -> str:
    """Speeds as the option writes them."""
    return ",".join(f"{speed:g}" for speed in speeds)


def id_at_speed(identifier: str, speed: float) -> str:
    """The id of a row at a speed."""
    return identifier if speed == 1 else f"sp{speed:g}-{identifier}"


def row_at_speed(row: Utterance, speed: float) -> Utterance:
    """A row at a speed, with the id and the duration of that; its offset is still that of the file."""
    if speed == 1:
        return row
    duration = None if row.duration is None else row.duration / speed
    return replace(row, id=id_at_speed(row.id, speed), duration=duration)


def find_equal_ids(rows: Iterable[tuple[Utterance, str]], speeds: Sequence[float]) -> Iterator[ManifestError]:
    """Find rows with audio whose id is that of another row at one of the speeds.

    Args:
        rows: each with its place, `FILE:LINE`.
        speeds: of all of them.
    """
    if tuple(speeds) == ONE_SPEED:
        return
    spoken = {row.id: (row, location) for row, location in rows if row.audio is not None}
    for identifier, (_, location) in spoken.items():
        for speed in speeds:
            taken = spoken.get(id_at_speed(identifier, speed))
            if taken is not None and speed != 1:
                found = f"the id is also that of utterance '{identifier}' ({location}) at speed {speed:g}"
                error = ManifestError(found, advice="rename one of the rows, or leave the speed out of --speeds")
                yield error.at(*places_of(*taken))
