"""Mel-frequency cepstra: 39 numbers every 20 ms, without weights.

13 cepstra with their first and second differences, liftered and scaled so that all 39 vary about equally, since
k-means weighs them by their spread. Loudness is taken out of each utterance; microphone and speaker are not: mean and
variance over a short utterance depend on its words, and the same word would get other units in other company.
Windows of 25 ms lie wholly inside the utterance, so N samples give 1 + (N - 400) // 320 frames, as in wav2vec 2.0.
"""

import hashlib

import numpy as np

from ...errors import ExtractorError
from ..audio import SAMPLE_RATE

WINDOW = 400  # samples: 25 ms
SHIFT = 320  # samples: 20 ms
FFT_SIZE = 512
PREEMPHASIS = 0.97
NUM_FILTERS = 24
NUM_CEPSTRA = 13
# Sources sampled at 8 kHz hold nothing above 4 kHz but what resampling leaves there, and the logarithm would make
# features of that. Formants lie below 4 kHz; wide-band speech loses detail of fricatives, and fits telephone speech.
LOWEST_HERTZ = 60.0
HIGHEST_HERTZ = 4000.0
# Filter energies are raised to at least this part of the loudest in the utterance (-60 dB, below a quiet room), so
# that digital silence, codec noise and rounding between words look alike whatever the gain.
RELATIVE_FLOOR = 1e-6
ABSOLUTE_FLOOR = 1e-12  # for utterances of nothing but zeros
# HTK's liftering evens out the spread of cepstra 1..12 and brings it to that of cepstrum 0, 12 to 17 for read speech.
LIFTER = 22
CEPSTRUM_SPREAD = 15.0
LOUD_PERCENTILE = 95  # loudness of an utterance: cepstrum 0 of its loud frames; its mean depends on the pauses
DIFFERENCE_REACH = 2  # frames to each side
FIRST_DIFFERENCE_SCALE, SECOND_DIFFERENCE_SCALE = 3.0, 7.0  # they vary by 0.2 to 0.3 and 0.1 to 0.14 of the cepstra


class MfccExtractor:
    """See the module's docstring; implements `Extractor`."""

    name = "mfcc"
    source = "mfcc"
    layer = 0
    width = 3 * NUM_CEPSTRA
    frame_shift_seconds = SHIFT / SAMPLE_RATE

    def __init__(self) -> None:
        settings = {name: value for name, value in globals().items() if name.isupper()}
        self.hash = hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()
        self._filters = mel_filters()

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        """Frames (T, 39) float32 of each waveform; see `Extractor.frames`."""
        return [self._frames(waveform) for waveform in waveforms]

    def _frames(self, waveform: np.ndarray) -> np.ndarray:
        if len(waveform) < WINDOW:
            raise ExtractorError(f"mfcc needs at least {WINDOW} samples (25 ms), found {len(waveform)}")
        return self.frames_of_spectra(power_spectra(emphasise(waveform, None)))

    def frames_of_spectra(self, spectra: np.ndarray) -> np.ndarray:
        """Frames (T, 39) float32 of an utterance whose `power_spectra` are (T, FFT_SIZE // 2 + 1), T >= 1."""
        cepstra = scale(mel_cepstra(spectra, self._filters))
        first = differences(cepstra)
        second = differences(first)
        blocks = [cepstra, FIRST_DIFFERENCE_SCALE * first, SECOND_DIFFERENCE_SCALE * second]
        return np.concatenate(blocks, axis=1).astype(np.float32, copy=False)


def mel_filters() -> np.ndarray:
    """Triangles of height 1, evenly spaced on HTK's mel scale, (FFT_SIZE // 2 + 1, NUM_FILTERS) float32."""
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST_HERTZ, HIGHEST_HERTZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, NUM_FILTERS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLE_RATE)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def emphasise(samples: np.ndarray, before: np.float32 | None) -> np.ndarray:
    """Samples (N,) less a part of the one before each, (N,) float32.

    Args:
        samples: of an utterance, or a part of it.
        before: the sample before the first; None at the begin of the utterance, whose first sample stays as it is.
    """
    previous = samples[:-1] if before is None else np.concatenate([[before], samples[:-1]])
    start = len(samples) - len(previous)
    return np.append(samples[:start], samples[start:] - np.float32(PREEMPHASIS) * previous)


def power_spectra(emphasised: np.ndarray) -> np.ndarray:
    """Power spectra (T, FFT_SIZE // 2 + 1) float32 of the windows of emphasised samples (N,), N >= WINDOW.

    Each depends on its window alone, to the last bit: those of a part of an utterance are those of the whole.
    """
    from scipy.fft import rfft

    windows = np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW)[::SHIFT] * _hann_window()
    return np.abs(rfft(windows, FFT_SIZE, axis=1)) ** 2


def mel_cepstra(spectra: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Orthonormal DCT-II of the log mel energies of an utterance's `power_spectra`, (T, NUM_CEPSTRA) float32."""
    from scipy.fft import dct

    energies = spectra @ filters
    floor = max(float(energies.max()) * RELATIVE_FLOOR, ABSOLUTE_FLOOR)
    return dct(np.log(np.maximum(energies, floor)), axis=1, norm="ortho")[:, :NUM_CEPSTRA]


def scale(cepstra: np.ndarray) -> np.ndarray:
    """Scale cepstra (T, NUM_CEPSTRA): cepstrum 0 relative to the loud frames, all liftered, spread about 1."""
    order = np.arange(NUM_CEPSTRA)
    lifter = np.where(order == 0, 1, 1 + LIFTER / 2 * np.sin(np.pi * order / LIFTER))
    loudness = np.where(order == 0, np.percentile(cepstra[:, 0], LOUD_PERCENTILE), 0)
    return ((cepstra - loudness) * lifter / CEPSTRUM_SPREAD).astype(np.float32)


def differences(features: np.ndarray) -> np.ndarray:
    """Slope of the line fitted to each frame (T, D) and its neighbours, (T, D); the ends are repeated."""
    padded = np.pad(features, ((DIFFERENCE_REACH, DIFFERENCE_REACH), (0, 0)), mode="edge")
    num_frames = len(features)
    slope = np.zeros_like(features)
    for distance in range(1, DIFFERENCE_REACH + 1):
        after = padded[DIFFERENCE_REACH + distance :][:num_frames]
        before = padded[DIFFERENCE_REACH - distance :][:num_frames]
        slope += distance * (after - before)
    return slope / (2 * sum(distance**2 for distance in range(1, DIFFERENCE_REACH + 1)))


def _hann_window() -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
