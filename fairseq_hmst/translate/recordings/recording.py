"""Recordings on their way to units, and the stretches into which they are cut."""

import itertools
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, check_audio

from ...tasks.input_languages import InputLanguages
from ..errors import TranslationError
from ..results import Times


def _no_samples() -> np.ndarray:
    return np.zeros(0, np.float32)


@dataclass(eq=False)
class Recording:
    """An audio file, or a stretch of one, that is to be translated.

    Attributes:
        source: its name in the result.
        audio: the file, on disk or in memory.
        offset: seconds.
        duration: seconds; None: to the end of the file.
        languages: as far as they must be named.
        uncut_seconds: if it is not longer, it is translated as a whole.
        seconds: its length; 0 where it has a fault.
        fault: why it cannot be translated; None: nothing is known against it.
        stretches: its parts, in order, once it has been read.
    """

    source: str
    audio: Path | AudioContent
    offset: float
    duration: float | None
    languages: InputLanguages
    uncut_seconds: float
    seconds: float = 0.0
    fault: TranslationError | None = None
    stretches: list["Stretch"] = field(default_factory=list, repr=False)

    def with_length(self) -> Self:
        """Look up its length in the file's header, or why it cannot be translated."""
        try:
            self.seconds = check_audio(self.audio, self.offset, self.duration, max_seconds=math.inf)
        except AudioError as error:
            self.fault = TranslationError.of(error)
        return self


@dataclass(eq=False)
class Stretch:
    """A part of a recording that is translated as a whole.

    Attributes:
        recording: of which it is a part.
        offset: in the file, seconds.
        duration: seconds; None: to the end of the file.
        seconds: its length.
        waveform: (N,) float32 samples at 16 kHz; none before it is read, and after it has units.
        units: deduplicated.
        unit_times: of each unit, seconds in the file.
    """

    recording: Recording
    offset: float
    duration: float | None
    seconds: float
    waveform: np.ndarray = field(default_factory=_no_samples, repr=False)
    units: tuple[int, ...] = ()
    unit_times: tuple[Times, ...] = ()

    def set_units(self, units: np.ndarray, run_lengths: np.ndarray, frame_shift_seconds: float) -> None:
        """Keep units in place of the waveform.

        Args:
            units: (U,) deduplicated.
            run_lengths: (U,) frames.
            frame_shift_seconds: from one frame to the next.
        """
        ends = np.minimum(np.cumsum(run_lengths) * frame_shift_seconds, self.seconds)
        bounds = np.round(self.offset + np.concatenate([[0.0], ends]), 3).tolist()
        self.units = tuple(units.tolist())
        self.unit_times = tuple(itertools.pairwise(bounds))
        self.waveform = _no_samples()
