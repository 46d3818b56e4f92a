"""Audio files, on disk or in memory: their lengths, and stretches of them as samples."""

import contextlib
import functools
import io
import itertools
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ...errors import AudioError
from ...files.reading.obstacle import explain_failure
from .av_decoder import AvDecoder
from .containers import find_parts
from .decoder import Decoder, explained
from .decoders import open_decoder
from .foreign_formats import find_foreign
from .length_limits import END_TOLERANCE_SECONDS, MAX_SECONDS, LengthLimits
from .parts import Part, PartFile
from .samples import change_speed, channels_cancel, check_sample_rate, check_samples, resample

REMEMBERED_FILES = 256


@dataclass(frozen=True)
class AudioContent:
    """An audio file in memory.

    Attributes:
        name: what errors call it.
        content: the bytes of the file.
    """

    name: str
    content: bytes = field(repr=False)


class AudioFile:
    """An open audio file; make one by `open_audio`.

    Attributes:
        place: its path, or the name of what is in memory.
        sample_rate: its own, in Hz.
        num_samples: a channel.
        channels_cancel: whether channels cancel each other in some part of what was read last.
    """

    channels_cancel = False

    def __init__(self, place: str, source: Path | io.BytesIO, file: BinaryIO, parts: Sequence[Part]) -> None:
        self.place = place
        self._source, self._file, self._parts = source, file, parts
        self._decoder: Decoder | AvDecoder | None = None
        self._part_read = -1
        if parts:
            self.sample_rate = parts[0].sample_rate
            self._bounds = [0]
            for part in parts:
                if part.sample_rate != self.sample_rate:
                    found = f"joined of streams at {self.sample_rate} and {part.sample_rate} samples a second"
                    raise AudioError(found, advice="cut it into files of one rate")
                self._bounds.append(self._bounds[-1] + part.num_samples)
        else:
            decoder = self._decoder_of(0)
            self.sample_rate, self._bounds = decoder.sample_rate, [0, decoder.num_samples]
        self.num_samples = self._bounds[-1]
        check_sample_rate(self.sample_rate)

    def seconds(self, offset: float = 0.0, duration: float | None = None, max_seconds: float = MAX_SECONDS) -> float:
        """Length of a stretch, in seconds, from the file's header; nothing is decoded.

        Raises:
            AudioError: as `read`, but for faults that only decoding shows.
        """
        seconds = self.measure(offset, duration)
        LengthLimits(max_seconds=max_seconds).check(seconds, self.place)
        return seconds

    def measure(self, offset: float = 0.0, duration: float | None = None) -> float:
        """Length of a stretch, in seconds, however short or long it is; from the file's header.

        Raises:
            AudioError: the stretch lies outside the file.
        """
        return self._locate(offset, duration)[1] / self.sample_rate

    def read(
        self,
        offset: float = 0.0,
        duration: float | None = None,
        max_seconds: float = MAX_SECONDS,
        speed: float = 1.0,
    ) -> np.ndarray:
        """Decode a stretch; nothing else is read.

        Args:
            offset: begin of the stretch, seconds.
            duration: length of the stretch, seconds; None: to the end of the file.
            max_seconds: a stretch that is longer at its speed is an error.
            speed: times as fast as it was spoken; see `change_speed`.

        Returns:
            (N,) float32 samples at 16 kHz in [-1, 1], one channel, at least 400 of them.

        Raises:
            AudioError: see the table in the docstring of this folder.
        """
        start, num_frames = self._locate(offset, duration)
        limits = LengthLimits(max_seconds=max_seconds)
        limits.check(num_frames / self.sample_rate, self.place, speed)
        waveform = self.read_samples(start, num_frames)
        if num_frames - len(waveform) > END_TOLERANCE_SECONDS * self.sample_rate:
            raise AudioError(
                f"cut short: expected {num_frames} samples from {start}, found {len(waveform)}", place=self.place
            )
        limits.check(len(waveform) / self.sample_rate, self.place, speed)
        with explained(self.place):
            check_samples(waveform)
            return change_speed(np.clip(resample(waveform, self.sample_rate), -1.0, 1.0), speed)

    def read_samples(self, start: int, count: int) -> np.ndarray:
        """Up to `count` samples at the file's own rate, all channels averaged, (N,) float32, unchecked.

        Raises:
            AudioError: the file is corrupt there.
        """
        self.channels_cancel = False
        with explained(self.place):
            return np.concatenate([np.zeros(0, np.float32), *self._read(start, start + count)])

    def close(self) -> None:
        """Free what decodes it."""
        if self._decoder is not None:
            self._decoder.close()

    def _read(self, start: int, end: int) -> Iterator[np.ndarray]:
        """Samples of each part that lies between, its channels averaged, (N,) float32."""
        for index, (first, last) in enumerate(itertools.pairwise(self._bounds)):
            begin, stop = max(start, first), min(end, last)
            if begin < stop:
                skipped = self._parts[index].skipped if self._parts else 0
                samples = self._decoder_of(index).read(skipped + begin - first, stop - begin)
                average = samples.mean(axis=1)
                self.channels_cancel |= channels_cancel(samples, average)
                yield average

    def _decoder_of(self, index: int) -> Decoder | AvDecoder:
        """The decoder of a part; it stays open for the next call."""
        if self._decoder is None or index != self._part_read:
            self.close()
            if self._parts:
                part = PartFile(self._file, self._parts[index].pieces)
                self._decoder = Decoder(io.BufferedReader(part))  # libmpg123 reads some bytes at a time
            else:
                self._decoder = open_decoder(self._source, self._file, self.place)
            self._part_read = index
        return self._decoder

    def _locate(self, offset: float, duration: float | None) -> tuple[int, int]:
        """Start and length of a stretch in samples of the file's own rate."""
        file_seconds = self.num_samples / self.sample_rate
        end = file_seconds if duration is None else offset + duration
        if offset < 0 or end > file_seconds + END_TOLERANCE_SECONDS or (offset >= file_seconds and offset > 0):
            raise AudioError(
                f"the segment from {offset:.3f} s to {end:.3f} s lies outside the file, which is {file_seconds:.3f} s "
                "long",
                place=self.place,
            )
        start = round(offset * self.sample_rate)
        return start, min(round(end * self.sample_rate), self.num_samples) - start


@contextlib.contextmanager
def open_audio(audio: Path | AudioContent) -> Iterator[AudioFile]:
    """Open an audio file, on disk or in memory, for the time of the block.

    Raises:
        AudioError: the file is missing, empty, not audio, or cut short as far as its headers tell.
    """
    place = audio.name if isinstance(audio, AudioContent) else str(audio)
    with contextlib.ExitStack() as stack:
        with explained(place):
            opened = _open(audio, place, stack)
        yield opened


@dataclass(frozen=True)
class Sound:
    """Sound of a stretch of an audio file.

    Attributes:
        samples: (N,) float32 at 16 kHz in [-1, 1].
        channels_cancel: whether the channels cancel each other, so that these are nearly silent.
    """

    samples: np.ndarray
    channels_cancel: bool = False


def load_sound(path: Path, offset: float = 0.0, duration: float | None = None, speed: float = 1.0) -> Sound:
    """Decode a stretch of an audio file; see `AudioFile.read`."""
    with open_audio(path) as file:
        samples = file.read(offset, duration, speed=speed)
        return Sound(samples, file.channels_cancel)


def load_audio(
    path: Path, offset: float = 0.0, duration: float | None = None, max_seconds: float = MAX_SECONDS
) -> np.ndarray:
    """Decode a stretch of an audio file; see `AudioFile.read`."""
    with open_audio(path) as file:
        return file.read(offset, duration, max_seconds)


def check_audio(
    audio: Path | AudioContent,
    offset: float = 0.0,
    duration: float | None = None,
    max_seconds: float = MAX_SECONDS,
) -> float:
    """Length of a stretch of an audio file, in seconds, without decoding it; see `AudioFile.seconds`."""
    with open_audio(audio) as file:
        return file.seconds(offset, duration, max_seconds)


def measure_audio(path: Path, offset: float = 0.0, duration: float | None = None) -> float:
    """Length of a stretch of an audio file, in seconds, however short or long; see `AudioFile.measure`."""
    with open_audio(path) as file:
        return file.measure(offset, duration)


def _open(audio: Path | AudioContent, place: str, stack: contextlib.ExitStack) -> AudioFile:
    source: Path | io.BytesIO
    if isinstance(audio, AudioContent):
        source, size = io.BytesIO(audio.content), len(audio.content)
        file: BinaryIO = source
        parts = _find_parts(file, size) if size else []
    else:
        source, status = Path(audio), _status_of(Path(audio))
        size = status.st_size
        file = stack.enter_context(source.open("rb"))
        parts = list(_remembered_parts(source, size, status.st_mtime_ns)) if size else []
    if size == 0:
        raise AudioError("the audio file is empty (0 bytes)")
    opened = AudioFile(place, source, file, parts)
    stack.callback(opened.close)
    return opened


def _status_of(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        obstacle = explain_failure(path, error)
        found = "audio file not found" if obstacle.is_missing else f"cannot be read: {obstacle.found}"
        raise AudioError(found, advice=obstacle.advice) from error
    if not stat.S_ISREG(status.st_mode):
        raise AudioError("expected an audio file, found a folder or device")
    return status


@functools.lru_cache(maxsize=REMEMBERED_FILES)
def _remembered_parts(path: Path, size: int, changed: int) -> tuple[Part, ...]:
    """Parts of a file; a talk is opened once for each of its segments, and its headers are read once."""
    with open(path, "rb") as file:
        return tuple(_find_parts(file, size))


def _find_parts(file: BinaryIO, size: int) -> list[Part]:
    return [] if find_foreign(file) else find_parts(file, size)
