"""Lengths of speech that can be encoded."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import AudioError

# The convolutions of wav2vec 2.0 and its kin see 400 samples at once.
MIN_SECONDS = 0.025
# Attention memory grows with the square of the length: 3000 frames are 0.6 GB a layer in WavLM-large. Corpora of
# sentences stay far below; a whole talk or a 10 min recording must be cut before anything can be learned from it.
MAX_SECONDS = 60.0
# What a file, or a stretch of it, may be shorter than is said: manifests round, and so do headers.
END_TOLERANCE_SECONDS = 0.05


@dataclass(frozen=True)
class LengthLimits:
    """Lengths of speech that can be encoded, in seconds; at another speed than 1 it is the length there that counts."""

    min_seconds: float = MIN_SECONDS
    max_seconds: float = MAX_SECONDS

    def contain(self, seconds: float, speed: float = 1.0) -> bool:
        """Whether a length lies within."""
        return self.min_seconds <= seconds / speed <= self.max_seconds

    def check(self, seconds: float, place: str | Path, speed: float = 1.0) -> None:
        """Check the length of a stretch of the file at `place`.

        Args:
            seconds: as it was spoken.
            place: the file.
            speed: at which it is encoded.

        Raises:
            AudioError: it is too short or too long.
        """
        if speed != 1:
            place, seconds = f"{place} at speed {speed:g}", seconds / speed
        if seconds < self.min_seconds:
            raise AudioError(
                f"too short: {1000 * seconds:.1f} ms, expected at least {1000 * self.min_seconds:.0f} ms",
                place=place,
                advice="leave the row out",
            )
        if seconds > self.max_seconds:
            raise AudioError(
                f"too long: {seconds:.1f} s, expected at most {self.max_seconds:g} s",
                place=place,
                advice="cut it into rows with offset and duration",
            )
