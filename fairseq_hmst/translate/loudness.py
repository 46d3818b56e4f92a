"""Loudness of a stretch of an audio file, read block by block."""

import numpy as np

from preprocess.errors import AudioError

from .audio_shim import AudioFile
from .segmentation import FRAME_SECONDS

BLOCK_FRAMES = 1000  # of energies: 10 s, so that two hours take no more memory than that


def read_energies(audio: AudioFile, offset: float, seconds: float) -> np.ndarray:
    """Root mean square of each 10 ms of a stretch of a file, all channels averaged.

    Args:
        audio: the file, open.
        offset: begin of the stretch, seconds.
        seconds: its length; it must lie inside the file.

    Returns:
        (N,) float64, N the whole frames of 10 ms.

    Raises:
        AudioError: the file breaks off, or holds NaN or infinite samples.
    """
    energies = []
    num_frames, begin = round(seconds / FRAME_SECONDS), round(offset * audio.sample_rate)
    for first in range(0, num_frames, BLOCK_FRAMES):
        frames = np.arange(first, min(first + BLOCK_FRAMES, num_frames) + 1)
        bounds = np.round(frames * FRAME_SECONDS * audio.sample_rate).astype(np.int64)  # 110.25 samples at 11 kHz
        samples = audio.read_raw(begin + int(bounds[0]), int(bounds[-1] - bounds[0]))
        energies.append(_root_mean_squares(samples, bounds - bounds[0]))
    found = np.concatenate(energies)
    if not np.isfinite(found).all():
        first_bad = offset + float(np.isfinite(found).argmin()) * FRAME_SECONDS
        raise AudioError(f"NaN or infinite samples, the first {first_bad:.2f} s from its begin", place=audio.path)
    return found


def _root_mean_squares(samples: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Root mean square of the samples between neighbouring bounds, as far as there are any."""
    bounds = bounds[bounds <= len(samples)]
    if len(bounds) < 2:
        return np.zeros(0)
    sums = np.add.reduceat(samples[: bounds[-1]].astype(np.float64) ** 2, bounds[:-1])
    return np.sqrt(sums / np.diff(bounds))
