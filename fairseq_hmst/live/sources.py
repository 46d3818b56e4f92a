"""Sources of sound for `hmst live`: a recording, or samples from standard input."""

import array
import fcntl
import math
import select
import signal
import termios
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import FrameType

import numpy as np

from preprocess.errors import AudioError
from preprocess.speech.audio import open_audio

from ..translate.errors import TranslationError

SAMPLE_BYTES = 2
MOST_BYTES_LEFT = 1 << 20  # more than a pipe holds; a file that is redirected may be longer
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
    """Samples without a header from a file such as a pipe: 16 bits, little-endian, one channel.

    SIGINT ends it as the end of the file does, behind what had been written to the pipe by then. A second one is a
    KeyboardInterrupt.

    Args:
        file: open in binary mode, without a buffer.
    """

    def __init__(self, file: FileIO) -> None:
        self._file, self._is_waiting, self.was_interrupted = file, False, False
        self._left = 0  # bytes that may be read after SIGINT

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
                if len(data) % SAMPLE_BYTES and not self.was_interrupted:
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
        while len(data) < size:
            is_over = self.was_interrupted
            if not self._wait(0 if is_over else None):
                if is_over:
                    break
                continue
            wanted = size - len(data)
            more = self._file.read(min(wanted, self._left) if is_over else wanted)
            if not more:
                break
            if is_over:
                self._left -= len(more)
            data += more
        return data

    def _wait(self, seconds: float | None) -> bool:
        """Whether there are bytes, or the end; SIGINT ends a wait and interrupts nothing else, so that none is lost."""
        try:
            self._is_waiting = True
            return bool(select.select([self._file], [], [], seconds)[0])
        except InterruptedError:
            return False
        finally:
            self._is_waiting = False

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.was_interrupted:
            raise KeyboardInterrupt
        self.was_interrupted = True
        available = array.array("i", [0])
        fcntl.ioctl(self._file.fileno(), termios.FIONREAD, available)
        self._left = min(available[0], MOST_BYTES_LEFT)
        if self._is_waiting:
            raise InterruptedError
