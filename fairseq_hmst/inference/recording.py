"""Recordings on their way to units: their loudness, read block by block, and the stretches into which they are cut."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from .decoder import Languages
from .errors import TranslationError
from .results import Times
from .segmentation import FRAME_SECONDS, find_segments

Timed = TypeVar("Timed", "Recording", "Stretch")
BLOCK_FRAMES = 1000  # of energies: 10 s, so that two hours take no more memory than that


@dataclass
class Recording:
    """An audio file, or a stretch of one, that is to be translated.

    Attributes:
        source: how the result names it.
        audio: the file.
        offset: seconds.
        duration: seconds; None: to the end of the file.
        languages: as far as they must be named.
        uncut_seconds: if it is not longer, it is translated as a whole.
        seconds: its length, when it was looked up.
        fault: why it cannot be translated.
    """

    source: str
    audio: Path
    offset: float
    duration: float | None
    languages: Languages
    uncut_seconds: float
    seconds: float = 0.0
    fault: str = ""

    def cut(self, max_seconds: float) -> list["Stretch"]:
        """All of it, or where it is long the segments of at most `max_seconds` in which somebody speaks.

        Raises:
            TranslationError: the file breaks off, or holds NaN or infinite samples.
        """
        if self.seconds <= self.uncut_seconds:
            return [Stretch(self, self.offset, self.duration, self.seconds)]
        segments = find_segments(read_energies(self.audio, self.offset, self.seconds), max_seconds)
        return [Stretch(self, self.offset + start, end - start, end - start) for start, end in segments]


@dataclass
class Stretch:
    """A part of a recording that is translated as a whole, and what has been found in it so far.

    Attributes:
        recording: that it is of.
        offset: in the file, seconds.
        duration: seconds; None: to the end of the file.
        seconds: its length.
        units: deduplicated.
        unit_times: of each unit, seconds in the file.
    """

    recording: Recording
    offset: float
    duration: float | None
    seconds: float
    units: tuple[int, ...] = ()
    unit_times: tuple[Times, ...] = ()

    def set_units(self, units: np.ndarray, run_lengths: np.ndarray, frame_shift_seconds: float) -> None:
        """Keep deduplicated units (U,), and their times from the run lengths (U,) in frames."""
        ends = np.minimum(np.cumsum(run_lengths) * frame_shift_seconds, self.seconds)
        bounds = np.round(self.offset + np.concatenate([[0.0], ends]), 3).tolist()
        self.units = tuple(units.tolist())
        self.unit_times = tuple(itertools.pairwise(bounds))


def groups_of(items: Sequence[Timed], max_seconds: float) -> Iterator[list[Timed]]:
    """Neighbours whose lengths sum to no more than `max_seconds`, but for one that is longer by itself."""
    group: list[Timed] = []
    total = 0.0
    for item in items:
        if group and total + item.seconds > max_seconds:
            yield group
            group, total = [], 0.0
        group.append(item)
        total += item.seconds
    if group:
        yield group


def read_energies(path: Path, offset: float, seconds: float) -> np.ndarray:
    """Root mean square of each 10 ms of a stretch of a file, all channels averaged.

    Args:
        path: any file that libsndfile reads.
        offset: begin of the stretch, seconds.
        seconds: its length; it must lie inside the file.

    Returns:
        (N,) float64, N the whole frames of 10 ms.

    Raises:
        TranslationError: the file breaks off, or holds NaN or infinite samples.
    """
    import soundfile

    energies = []
    num_frames = round(seconds / FRAME_SECONDS)
    try:
        with soundfile.SoundFile(path) as file:
            file.seek(round(offset * file.samplerate))
            for first in range(0, num_frames, BLOCK_FRAMES):
                frames = np.arange(first, min(first + BLOCK_FRAMES, num_frames) + 1)
                bounds = np.round(frames * FRAME_SECONDS * file.samplerate).astype(np.int64)  # 110.25 samples at 11 kHz
                channels = file.read(int(bounds[-1] - bounds[0]), dtype="float32", always_2d=True)
                energies.append(_root_mean_squares(channels.mean(axis=1), bounds - bounds[0]))
    except soundfile.LibsndfileError as error:
        raise TranslationError(f"{path}: corrupt or cut short ({error.error_string.strip() or error})") from error
    found = np.concatenate(energies)
    if not np.isfinite(found).all():
        first_bad = float(np.isfinite(found).argmin()) * FRAME_SECONDS
        raise TranslationError(f"{path}: NaN or infinite samples, the first {offset + first_bad:.2f} s from its begin")
    return found


def _root_mean_squares(samples: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Of the samples between each bound and the next, as far as there are samples."""
    bounds = bounds[bounds <= len(samples)]
    if len(bounds) < 2:
        return np.zeros(0)
    sums = np.add.reduceat(samples[: bounds[-1]].astype(np.float64) ** 2, bounds[:-1])
    return np.sqrt(sums / np.diff(bounds))
