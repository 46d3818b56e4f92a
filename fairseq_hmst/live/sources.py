"""Sources of sound for `hmst live`: a recording, or samples from standard input."""

import math
import signal
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from types import FrameType

import numpy as np

from preprocess.errors import AudioError
from preprocess.speech.audio import open_audio

from ..translate.errors import TranslationError

SAMPLE_BYTES = 2
HEADERS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3")  # of files, which are no bare samples


def recording_rate(path: Path) -> int:
    """Sampling rate of a recording, Hz.

    Raises:
        TranslationError: it cannot be read.
    """
    try:
        with open_audio(path) as audio:
            return audio.sample_rate
    except AudioError as error:
        raise TranslationError.of(error) from error


def recording_pieces(path: Path, seconds: float) -> Iterator[np.ndarray]:
    """Samples (N,) of a recording at its own rate, so many seconds at a time.

    Raises:
        TranslationError: it cannot be read to its end.
    """
    try:
        with open_audio(path) as audio:
            total = round(audio.seconds(max_seconds=math.inf) * audio.sample_rate)
            size = max(1, round(seconds * audio.sample_rate))
            for start in range(0, total, size):
                yield audio.read_samples(start, min(size, total - start))
    except AudioError as error:
        raise TranslationError.of(error) from error


class RawSamples:
    """Samples without a header from an open file, such as a pipe: 16 bits, little-endian, one channel.

    SIGINT ends it as the end of the file does: while it waits for samples at once, else after the piece in hand.

    Args:
        file: open in binary mode.
    """

    def __init__(self, file: BufferedReader) -> None:
        self._file, self._is_waiting, self.was_interrupted = file, False, False

    def pieces(self, seconds: float, rate: int) -> Iterator[np.ndarray]:
        """Samples (N,) int16 of so many seconds at a time, at this rate.

        Raises:
            TranslationError: it begins as an audio file with a header does, or ends within a sample.
        """
        size = SAMPLE_BYTES * max(1, round(seconds * rate))
        before = signal.signal(signal.SIGINT, self._interrupt)
        try:
            is_first = True
            while data := self._read(size):
                if is_first and data.startswith(HEADERS):
                    raise TranslationError(
                        f"begins with {data[:4].decode('ascii')!r}, as an audio file does; expected bare samples of 16 "
                        "bits, little-endian, one channel",
                        place="standard input",
                        advice="send them so (arecord -t raw, ffmpeg -f s16le -ac 1), or name the file",
                    )
                is_first = False
                yield np.frombuffer(data[: len(data) // SAMPLE_BYTES * SAMPLE_BYTES], "<i2")
                if len(data) % SAMPLE_BYTES:
                    raise TranslationError(
                        "ends within a sample: the number of bytes is odd; expected samples of 16 bits",
                        place="standard input",
                        advice="send them as s16le",
                    )
        finally:
            signal.signal(signal.SIGINT, before)

    def _read(self, size: int) -> bytes:
        """The next bytes; fewer than `size` at the end alone."""
        data = b""
        try:
            self._is_waiting = True
            while not self.was_interrupted and len(data) < size and (more := self._file.read1(size - len(data))):
                data += more
        except InterruptedError:
            data = data[: len(data) // SAMPLE_BYTES * SAMPLE_BYTES]
        finally:
            self._is_waiting = False
        return data

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.was_interrupted = True
        if self._is_waiting:
            raise InterruptedError
