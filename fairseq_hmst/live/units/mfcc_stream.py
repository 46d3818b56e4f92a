"""Units of MFCC as samples come: exactly those of the whole, without computing a spectrum twice."""

import numpy as np

from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.speech.extractors.mfcc import (
    DIFFERENCE_REACH,
    FFT_SIZE,
    SHIFT,
    WINDOW,
    MfccExtractor,
    emphasise,
    power_spectra,
)

from .heard import HeardUnits

# A second difference depends on first differences, and these on cepstra.
FRAMES_AHEAD = 2 * DIFFERENCE_REACH


class MfccStream:
    """Units of a segment by MFCC; implements `UnitStream`.

    Power spectra are kept, 1 kB a frame. What depends on the whole segment is made of them at each `heard`, which
    costs little: filters, the floor below the loudest, cepstra relative to the loud frames, differences, units.

    A frame is called settled when no later sample reaches it by the differences. Loudness still does: a frame's floor
    and its cepstrum 0 change where louder sound comes, and then its unit may change too.
    """

    def __init__(self, extractor: MfccExtractor, nearest_centroid: NearestCentroid) -> None:
        self._extractor, self._nearest_centroid = extractor, nearest_centroid
        self._added: list[np.ndarray] = []
        self._last_sample: np.float32 | None = None
        self._emphasised = np.zeros(0, dtype=np.float32)  # from the begin of the first window without a spectrum
        self._spectra = np.zeros((0, FFT_SIZE // 2 + 1), dtype=np.float32)

    def add(self, samples: np.ndarray) -> None:
        """See `UnitStream.add`."""
        self._added.append(np.array(samples, dtype=np.float32))

    def heard(self) -> HeardUnits:
        """See `UnitStream.heard`."""
        self._transform(np.concatenate([np.zeros(0, dtype=np.float32), *self._added]))
        self._added = []
        labels = np.zeros(0, dtype=np.int64)
        if len(self._spectra):
            labels = self._nearest_centroid(self._extractor.frames_of_spectra(self._spectra))
        return HeardUnits.of_labels(labels, max(0, len(labels) - FRAMES_AHEAD), self._extractor.frame_shift_seconds)

    def _transform(self, samples: np.ndarray) -> None:
        """Append the spectra of the windows that end in these samples (N,), the next ones."""
        if not len(samples):
            return
        self._emphasised = np.concatenate([self._emphasised, emphasise(samples, self._last_sample)])
        self._last_sample = samples[-1]
        if len(self._emphasised) >= WINDOW:
            spectra = power_spectra(self._emphasised)
            self._spectra = np.concatenate([self._spectra, spectra])
            self._emphasised = self._emphasised[len(spectra) * SHIFT :].copy()
