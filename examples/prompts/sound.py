"""Recordings as samples: read, trimmed of silence, joined with small random pauses and gains, and written."""

import wave
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

RECORDINGS = Path(__file__).parent / "recordings"
SAMPLE_RATE = 8000  # Hz, of all recordings
FRAME = SAMPLE_RATE // 100
SILENCE_BELOW_DB = 30.0  # a 10 ms frame this far under the recording's loudest frames is silence at its edges
KEPT_FRAMES = 1  # of the silence, so that no soft consonant is cut
FADE = SAMPLE_RATE // 200  # samples, at both ends of a trimmed recording
GAIN_DB = (-8.0, -3.0)  # of a whole announcement
RECORDING_GAIN_DB = (-2.0, 2.0)  # of each recording in it; together always below 0, so nothing clips
PAUSE_SECONDS = (0.0, 0.05)  # between recordings
EDGE_SECONDS = (0.02, 0.06)  # before the first and after the last


@cache
def read_recording(recording: str) -> np.ndarray:
    """Samples of a recording, float32 in [-1, 1], without the silence at its edges.

    Raises:
        FileNotFoundError: there is no such recording.
        ValueError: it is not mono at 8 kHz, or silent.
    """
    path = RECORDINGS / f"{recording}.ogg"
    if not path.exists():
        raise FileNotFoundError(f"recording '{recording}' not found: {path}")
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise ValueError(f"{path}: expected mono at {SAMPLE_RATE} Hz, found shape {samples.shape} at {rate} Hz")
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    loudness = np.sqrt((frames**2).mean(axis=1))
    if not loudness.any():
        raise ValueError(f"{path}: the recording is silent")
    peak = np.sort(loudness)[-5:].mean()
    loud = np.flatnonzero(loudness > peak * 10 ** (-SILENCE_BELOW_DB / 20))
    start = max(loud[0] - KEPT_FRAMES, 0) * FRAME
    trimmed = samples[start : (loud[-1] + 1 + KEPT_FRAMES) * FRAME].copy()
    fade = np.linspace(0, 1, FADE, dtype=np.float32)
    trimmed[:FADE] *= fade
    trimmed[-FADE:] *= fade[::-1]
    return trimmed


def spoken_seconds(recordings: tuple[str, ...]) -> float:
    """Seconds of the trimmed recordings, pauses not counted."""
    return sum(len(read_recording(recording)) for recording in recordings) / SAMPLE_RATE


def join(recordings: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """The recordings one after the other as int16 samples; pauses and gains come from `rng`."""
    gain_db = rng.uniform(*GAIN_DB)
    pieces = [_silence(rng, EDGE_SECONDS)]
    for index, recording in enumerate(recordings):
        if index:
            pieces.append(_silence(rng, PAUSE_SECONDS))
        pieces.append(read_recording(recording) * 10 ** ((gain_db + rng.uniform(*RECORDING_GAIN_DB)) / 20))
    pieces.append(_silence(rng, EDGE_SECONDS))
    return np.round(np.concatenate(pieces) * 32767).astype(np.int16)


def write_wav(path: Path, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
    """Write int16 samples (N,) as a mono WAV file."""
    # not by soundfile, which waits for the disk after every file
    with wave.open(str(path), "wb") as file:
        file.setparams((1, samples.itemsize, sample_rate, len(samples), "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


def _silence(rng: np.random.Generator, seconds: tuple[float, float]) -> np.ndarray:
    return np.zeros(int(rng.uniform(*seconds) * SAMPLE_RATE), dtype=np.float32)
