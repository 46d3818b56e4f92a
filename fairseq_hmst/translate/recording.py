"""Recordings on their way to units, and the stretches into which they are cut."""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import numpy as np

from preprocess.errors import AudioError
from preprocess.speech.audio import check_audio

from .audio_shim import AudioFile
from .errors import TranslationError
from .loudness import read_energies
from .options import LanguageChoice
from .results import Times
from .segmentation import find_segments

Timed = TypeVar("Timed", "Recording", "Stretch")


@dataclass
class Recording:
    """An audio file, or a stretch of one, that is to be translated.

    Attributes:
        source: its name in the result.
        audio: the file.
        offset: seconds.
        duration: seconds; None: to the end of the file.
        languages: as far as they must be named.
        uncut_seconds: if it is not longer, it is translated as a whole.
        seconds: its length; 0 where it has a fault.
        fault: why it cannot be translated; None: nothing is known against it.
    """

    source: str
    audio: Path
    offset: float
    duration: float | None
    languages: LanguageChoice
    uncut_seconds: float
    seconds: float = 0.0
    fault: TranslationError | None = None

    def with_length(self) -> Self:
        """Look up its length in the file's header, or why it cannot be translated."""
        try:
            self.seconds = check_audio(self.audio, self.offset, self.duration, max_seconds=math.inf)
        except AudioError as error:
            self.fault = TranslationError.of(error)
        return self

    def cut(self, audio: AudioFile, max_seconds: float) -> "list[Stretch]":
        """Stretches to translate: all of it, or where it is long the segments with speech.

        Args:
            audio: the file, open.
            max_seconds: length of the longest segment of a recording that is cut.

        Raises:
            AudioError: the file breaks off, or holds NaN or infinite samples.
        """
        if self.seconds <= self.uncut_seconds:
            return [Stretch(self, self.offset, self.duration, self.seconds)]
        segments = find_segments(read_energies(audio, self.offset, self.seconds), max_seconds)
        return [Stretch(self, self.offset + start, end - start, end - start) for start, end in segments]


@dataclass
class Stretch:
    """A part of a recording that is translated as a whole.

    Attributes:
        recording: of which it is a part.
        offset: in the file, seconds.
        duration: seconds; None: to the end of the file.
        seconds: its length.
        waveform: (N,) float32 samples at 16 kHz, while they are needed.
        units: deduplicated.
        unit_times: of each unit, seconds in the file.
    """

    recording: Recording
    offset: float
    duration: float | None
    seconds: float
    waveform: np.ndarray | None = None
    units: tuple[int, ...] = ()
    unit_times: tuple[Times, ...] = ()

    def take_waveform(self) -> np.ndarray:
        """Hand out the waveform, and keep it no longer."""
        if self.waveform is None:
            raise ValueError(f"the stretch at {self.offset} s of {self.recording.audio} has not been read")
        waveform, self.waveform = self.waveform, None
        return waveform

    def set_units(self, units: np.ndarray, run_lengths: np.ndarray, frame_shift_seconds: float) -> None:
        """Keep deduplicated units (U,), and their times from the run lengths (U,) in frames."""
        ends = np.minimum(np.cumsum(run_lengths) * frame_shift_seconds, self.seconds)
        bounds = np.round(self.offset + np.concatenate([[0.0], ends]), 3).tolist()
        self.units = tuple(units.tolist())
        self.unit_times = tuple(itertools.pairwise(bounds))


def groups_of(items: Iterable[Timed], max_seconds: float) -> Iterator[list[Timed]]:
    """Neighbours whose lengths sum to no more than `max_seconds`; a longer one is a group by itself."""
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
