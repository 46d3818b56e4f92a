"""Units of a segment that has not ended, and the interface of every stream of units."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from preprocess.files.units import deduplicate


@dataclass(frozen=True)
class HeardUnits:
    """Units of a segment as if it ended here.

    Attributes:
        units: (U,) int64, deduplicated; none where there is too little sound for a frame.
        run_lengths: (U,) int64, frames.
        num_settled: leading units that later samples do not change, nor their run lengths; for MFCC but for loudness.
        frame_shift_seconds: from one frame to the next.
    """

    units: np.ndarray
    run_lengths: np.ndarray
    num_settled: int
    frame_shift_seconds: float

    @classmethod
    def of_labels(cls, labels: np.ndarray, num_settled_frames: int, frame_shift_seconds: float) -> "HeardUnits":
        """Make them of clusters (T,), one a frame, of which the first `num_settled_frames` are settled.

        The last run of these may still grow, so its unit is not settled.
        """
        units, run_lengths = deduplicate(labels)
        settled_units, _ = deduplicate(labels[:num_settled_frames])
        return cls(units, run_lengths, max(0, len(settled_units) - 1), frame_shift_seconds)


class UnitStream(Protocol):
    """Units of one segment as its samples come."""

    def add(self, samples: np.ndarray) -> None:
        """Append samples (N,) float32 at 16 kHz, in [-1, 1], any number; nothing is computed yet."""
        ...

    def heard(self) -> HeardUnits:
        """Units of all samples so far, as if the segment ended here.

        Raises:
            ExtractorError: frames of the encoder are not finite.
        """
        ...
