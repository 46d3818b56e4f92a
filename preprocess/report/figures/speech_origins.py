"""Seconds, speakers and languages of the examples of a speech stream."""

import sys
from dataclasses import dataclass

import numpy as np

from ...data_bin.reader import Stream


@dataclass(frozen=True)
class SpeechOrigins:
    """All origins of a speech stream but the ids, as parallel arrays.

    Attributes:
        seconds: (N,) float64; NaN where not known.
        speakers: (N,) names; "" where not known.
        languages: (N,) by side, `source` and `target`.
    """

    seconds: np.ndarray
    speakers: np.ndarray
    languages: dict[str, np.ndarray]

    @property
    def is_timed(self) -> np.ndarray:
        """Mask of the examples whose seconds are known, (N,) bool."""
        return ~np.isnan(self.seconds)


def read_speech_origins(stream: Stream) -> SpeechOrigins:
    """Read the origins of a speech stream.

    Raises:
        MismatchError: they are not those of the stream's examples.
    """
    seconds = np.full(stream.counts.examples, np.nan)
    names = {name: np.full(stream.counts.examples, "", dtype=object) for name in ("speaker", "source", "target")}
    for index, origin in enumerate(stream.origins()):
        if origin.seconds is not None:
            seconds[index] = origin.seconds
        found = {"speaker": origin.speaker, "source": origin.source_language, "target": origin.target_language}
        for name, text in found.items():
            names[name][index] = sys.intern(text)  # few names, many examples
    return SpeechOrigins(seconds, names.pop("speaker"), names)
