"""Samples of a file's own rate -> samples that can be encoded."""

import math
from fractions import Fraction

import numpy as np

from ...errors import AudioError

SAMPLE_RATE = 16_000
# Of telephones and of studios, with room at both ends.
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4_000, 768_000
MAX_PEAK = 2.0
# Of channels whose average has less than a hundredth of their power, one is the other turned upside down: two that have
# nothing in common leave a half, and of 32 one that is not silent a 32nd. Below -70 dB there is nothing to lose.
CANCELLED_SHARE, SILENT_POWER = 0.01, 1e-7
# The filter of a resampler grows with the larger term of the ratio: 48 000 : 16 000 is 3 : 1, but 767 999 : 16 000
# stays as it is. All rates to 48 kHz are exact; of others a nearby ratio is taken, off by at most 10 samples a minute.
MAX_TERM = 48_000


def check_sample_rate(sample_rate: int) -> None:
    """Check a sampling rate.

    Args:
        sample_rate: Hz.

    Raises:
        AudioError: nobody records at it; the header is wrong.
    """
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"its header says {sample_rate} samples a second, expected {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}",
            advice="correct the header, or resample the file",
        )


def channels_cancel(samples: np.ndarray, average: np.ndarray) -> bool:
    """Whether channels that are not silent leave nearly nothing when they are averaged.

    Args:
        samples: (N, C) float32.
        average: (N,) of the channels.
    """
    power = np.vdot(samples, samples) / max(samples.size, 1)
    return bool(power > SILENT_POWER and np.vdot(average, average) / len(average) < CANCELLED_SHARE * power)


def check_samples(waveform: np.ndarray) -> None:
    """Check the samples of a stretch of audio.

    Args:
        waveform: (N,).

    Raises:
        AudioError: some are NaN or infinite, or they are not scaled to [-1, 1].
    """
    is_bad = ~np.isfinite(waveform)
    if is_bad.any():
        raise AudioError(f"{is_bad.sum()} samples are NaN or infinite, the first is number {is_bad.argmax()}")
    peak = float(np.abs(waveform).max())
    if peak > MAX_PEAK:
        raise AudioError(f"samples reach {peak:.4g}; expected floats scaled to [-1, 1]", advice="scale the file")


def change_speed(waveform: np.ndarray, speed: float) -> np.ndarray:
    """Samples played faster or slower, tempo and pitch, as by the effect `speed` of sox.

    Args:
        waveform: (N,) float32 at 16 kHz in [-1, 1].
        speed: times as fast; of at most 3 decimals.

    Returns:
        (ceil(N / speed),) float32 in [-1, 1].
    """
    if speed == 1:
        return waveform
    # what was recorded at this rate, and is played at 16 kHz
    return np.clip(resample(waveform, round(SAMPLE_RATE * speed)), -1.0, 1.0)


def resample(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Samples at 16 kHz.

    Args:
        waveform: (N,) float32.
        sample_rate: of `waveform`, Hz.

    Returns:
        (ceil(16000 N / sample_rate),) float32.
    """
    if sample_rate == SAMPLE_RATE:
        return waveform
    from scipy.signal import resample_poly

    ratio = Fraction(SAMPLE_RATE, sample_rate).limit_denominator(MAX_TERM)
    resampled = resample_poly(waveform, ratio.numerator, ratio.denominator)
    wanted = math.ceil(len(waveform) * SAMPLE_RATE / sample_rate)
    resampled = np.pad(resampled, (0, max(0, wanted - len(resampled))))
    return resampled[:wanted].astype(np.float32, copy=False)
