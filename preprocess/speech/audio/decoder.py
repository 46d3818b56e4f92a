"""Decoding of what libsndfile reads, from any sample on."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import AudioError
from .decoder_messages import without_decoder_messages

if TYPE_CHECKING:
    import soundfile

DROPPED_AT_ONCE = 2**18  # samples a channel
# What Vorbis and Opus decode depends on what they decoded before: after a seek libsndfile's first samples are wrong,
# and after one of up to 2 s forward in Vorbis all are up to 20 ms late.
OGG_RUN_UP = 2**14  # samples a channel
OGG_NEAR_SECONDS = 3

# What soundfile and Python raise of a file that nobody foresaw: that file cannot be used, and the next can.
FAULTS = (RuntimeError, OSError, TypeError, ValueError, MemoryError)


@contextlib.contextmanager
def explained(place: str) -> Iterator[None]:
    """Give errors of the block the place of its file, whatever they are.

    Raises:
        AudioError: an AudioError was raised, or one of FAULTS.
    """
    try:
        yield
    except AudioError as error:
        raise error if error.places else error.at(place) from error
    except FAULTS as error:
        if isinstance(error, OSError) and error.strerror:
            found = f"cannot be read: {error.strerror}"
        elif message := getattr(error, "error_string", ""):  # of libsndfile
            found = f"not audio, corrupt or cut short ({message.strip()})"
        else:
            found = f"cannot be decoded: {type(error).__name__} {error}".rstrip()
        raise AudioError(found, place=place) from error


class Decoder:
    """An audio stream that is open; methods raise what FAULTS lists.

    Attributes:
        sample_rate: Hz.
        num_samples: a channel, by its header.
    """

    def __init__(self, source: Path | io.RawIOBase | io.BufferedIOBase) -> None:
        self._source = source
        self._file = self._open()
        self._position = 0  # the sample that is decoded next
        self._can_seek = self._file.seekable()
        self._decoded: np.ndarray | None = None
        self.sample_rate, self.num_samples = self._file.samplerate, self._file.frames
        is_ogg = self._file.format == "OGG"
        self._run_up = OGG_RUN_UP if is_ogg else 0
        self._near = OGG_RUN_UP + OGG_NEAR_SECONDS * self.sample_rate if is_ogg else 0  # no seek for so few samples

    def close(self) -> None:
        """Free what libsndfile holds."""
        self._file.close()

    def read(self, start: int, count: int) -> np.ndarray:
        """Decode samples.

        Args:
            start: the first, at the stream's own rate.
            count: how many.

        Returns:
            (N, C) float32, N at most `count`: fewer where the stream ends.
        """
        if self._file.format == "MP3":
            return self._read_mpeg()[start : start + count]
        self._go_to(start)
        samples: np.ndarray = self._file.read(count, dtype="float32", always_2d=True)
        self._position += len(samples)
        return samples

    def _read_mpeg(self) -> np.ndarray:
        """All samples; parts of MPEG audio are short.

        soundfile seeks after each call that reads, and after a seek libmpg123 decodes frames wrong that take bits
        from many earlier ones.
        """
        if self._decoded is None:
            with without_decoder_messages():
                self._decoded = self._file.read(dtype="float32", always_2d=True)
        return self._decoded

    def _go_to(self, start: int) -> None:
        is_near = 0 <= start - self._position <= self._near
        if self._can_seek and not is_near:
            try:
                self._position = self._file.seek(max(0, start - self._run_up))
            except RuntimeError:  # it says that it can of codecs in which it cannot; now it is anywhere
                self._can_seek = False
                self._open_again()
        if start < self._position:
            self._open_again()
        while self._position < start:
            dropped = len(self._file.read(min(DROPPED_AT_ONCE, start - self._position), dtype="int16"))
            if not dropped:
                return
            self._position += dropped

    def _open_again(self) -> None:
        self._file.close()
        self._file, self._position = self._open(), 0

    def _open(self) -> "soundfile.SoundFile":
        import soundfile

        with without_decoder_messages():
            if isinstance(self._source, Path):
                # Not by its name: libsndfile takes any bytes for samples where they are called *.vox, and what a Mac
                # leaves beside a file, ._NAME, for a part of it.
                return soundfile.SoundFile(os.open(self._source, os.O_RDONLY))  # which closes it
            self._source.seek(0)
            return soundfile.SoundFile(self._source)
