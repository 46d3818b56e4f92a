"""TEMPORARY: what preprocess.speech will offer."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from preprocess.errors import AudioError, ExtractorError
from preprocess.speech import audio as old
from preprocess.speech.frames import _batches, _try_frames
from preprocess.speech.extractors import Extractor


class AudioFile:
    """An open audio file."""

    def __init__(self, path, file):
        self.path, self.file = path, file
        self.sample_rate = file.samplerate

    def length(self, offset=0.0, duration=None, max_seconds=old.MAX_SECONDS) -> float:
        return old._locate(self.file, self.path, offset, duration, max_seconds)[1] / self.sample_rate

    def read(self, offset=0.0, duration=None, max_seconds=old.MAX_SECONDS) -> np.ndarray:
        start, num_frames = old._locate(self.file, self.path, offset, duration, max_seconds)
        self.file.seek(start)
        channels = self.file.read(num_frames, dtype="float32", always_2d=True)
        if len(channels) < num_frames:
            raise AudioError(
                f"cut short: expected {num_frames} samples from {start}, found {len(channels)}", place=self.path
            )
        waveform = channels.mean(axis=1)
        old._check_samples(waveform, self.path)
        return np.clip(old._resample(waveform, self.sample_rate), -1.0, 1.0)

    def read_raw(self, start: int, count: int) -> np.ndarray:
        self.file.seek(start)
        return self.file.read(count, dtype="float32", always_2d=True).mean(axis=1)


@contextlib.contextmanager
def open_audio(path: Path) -> Iterator[AudioFile]:
    with old._open(path) as file:
        yield AudioFile(path, file)


def frames_of(waveforms: Sequence[np.ndarray], extractor: Extractor):
    numbered = dict(enumerate(waveforms))
    for batch in _batches(numbered):
        yield from zip(batch, _try_frames([numbered[i] for i in batch], extractor), strict=True)
