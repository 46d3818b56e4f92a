"""The part of a stream's sound that may still be needed."""

import numpy as np

from preprocess.speech.audio import SAMPLE_RATE

from ..translate.recordings.segmentation import SMOOTHING
from .segmentation import FRAME


class Sound:
    """Samples at 16 kHz; positions count from the begin of the stream.

    Attributes:
        end: position behind the last sample.
    """

    def __init__(self) -> None:
        self._pieces = [np.zeros(0, np.float32)]
        self._begin = self.end = 0

    @property
    def _samples(self) -> np.ndarray:
        self._pieces = [np.concatenate(self._pieces)] if len(self._pieces) > 1 else self._pieces
        return self._pieces[0]

    def add(self, samples: np.ndarray) -> None:
        """Append samples (N,)."""
        self._pieces.append(samples)
        self.end += len(samples)

    def between(self, begin: int, end: int) -> np.ndarray:
        """Samples of a stretch that was not dropped, (N,)."""
        return self._samples[begin - self._begin : end - self._begin]

    def drop_before(self, position: int) -> None:
        """Forget what lies before a position."""
        if position > self._begin:
            self._pieces = [self._samples[position - self._begin :].copy()]
            self._begin = position

    def quietest(self, first: int, last: int) -> int:
        """The position from `first` to `last` around which a tenth of a second is the quietest."""
        reach = round(SMOOTHING * SAMPLE_RATE) // 2
        positions = np.arange(first, max(first, last) + 1, FRAME)
        energies = np.concatenate([[0.0], np.cumsum(self._samples.astype(np.float64) ** 2)])
        begins, ends = (np.clip(positions - self._begin + side, 0, len(self._samples)) for side in (-reach, reach))
        return int(positions[np.argmin((energies[ends] - energies[begins]) / np.maximum(ends - begins, 1))])
