"""Audio files in memory: as libsndfile writes and decodes them, and as we do."""

import io
import struct

import numpy as np
import soundfile

from preprocess.speech.audio import AudioContent, open_audio

RATE = 16_000


def noise(count: int, channels: int = 1) -> np.ndarray:
    return (0.1 * np.random.default_rng(count).standard_normal((count, channels))).clip(-0.9, 0.9)


def written(samples: np.ndarray, subtype: str = "PCM_16", rate: int = RATE, format: str = "WAV", endian: str = "FILE"):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype, format=format, endian=endian)
    return file.getvalue()


def decoded(content: bytes) -> np.ndarray:
    """All samples, by libsndfile itself, channels averaged."""
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        return file.read(file.frames, dtype="float32", always_2d=True).mean(axis=1)


def samples_of(content: bytes) -> np.ndarray:
    """All samples, by our own reader, which must find their number beforehand."""
    with open_audio(AudioContent("x.wav", content)) as file:
        samples = file.read_samples(0, file.num_samples)
        assert len(samples) == file.num_samples
        return samples


def patched(content: bytes, at: int, value: int, form: str) -> bytes:
    """A file in which a number was written over."""
    field = struct.pack(form, value)
    return content[:at] + field + content[at + len(field) :]
