"""Decoding: any audio file that libsndfile reads -> mono float32 samples at 16 kHz in [-1, 1].

| file or stretch of it                             | what happens                                                   |
|---------------------------------------------------|----------------------------------------------------------------|
| wav, flac, ogg, opus, mp3 at any sampling rate    | resampled to 16 kHz                                            |
| stereo or more channels                           | averaged to one                                                |
| silent                                            | fine: silence is sound too                                     |
| float samples a little beyond 1 (up to 2)         | clipped to [-1, 1]; lossy codecs overshoot                     |
| float samples beyond 2                            | error: they are not scaled to [-1, 1]                          |
| stretch ends up to 50 ms after its file           | cut at the end of the file: manifests round                    |
| stretch ends or begins later than that            | error                                                          |
| longer than 60 s                                  | error: cut it by rows with offset and duration                 |
| shorter than 25 ms (such as 20 ms)                | error: no speech encoder makes a frame of it                   |
| missing, empty, not audio, corrupt                | error                                                          |
| cut short: wav, flac, mp3                         | error                                                          |
| cut short: ogg, opus                              | most are read as a shorter file: they do not tell their length |
| NaN or infinite samples                           | error                                                          |

Every error is an AudioError that names the file. Levels are not changed and silence is not removed.
"""

import contextlib
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import AudioError

if TYPE_CHECKING:
    import soundfile

SAMPLE_RATE = 16_000
# The convolutions of wav2vec 2.0 and its kin see 400 samples at once.
MIN_SECONDS = 0.025
# Attention memory grows with the square of the length: 3000 frames are 0.6 GB a layer in WavLM-large. Corpora of
# sentences stay far below; a whole talk or a 10 min recording must be cut before anything can be learned from it.
MAX_SECONDS = 60.0
END_TOLERANCE_SECONDS = 0.05


@dataclass(frozen=True)
class LengthLimits:
    """Lengths of speech that can be encoded, in seconds."""

    min_seconds: float = MIN_SECONDS
    max_seconds: float = MAX_SECONDS

    def contain(self, seconds: float) -> bool:
        """Whether a length lies within."""
        return self.min_seconds <= seconds <= self.max_seconds

    def check(self, seconds: float, place: str | Path) -> None:
        """Check the length of a stretch of the file at `place`.

        Raises:
            AudioError: it is too short or too long.
        """
        if seconds < self.min_seconds:
            raise AudioError(
                f"too short: {1000 * seconds:.1f} ms, expected at least {1000 * self.min_seconds:.0f} ms",
                place=place,
                advice="leave the row out",
            )
        if seconds > self.max_seconds:
            raise AudioError(
                f"too long: {seconds:.1f} s, expected at most {self.max_seconds:g} s",
                place=place,
                advice="cut it into rows with offset and duration",
            )


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
    """

    def __init__(self, place: str, file: "soundfile.SoundFile") -> None:
        self.place, self._file = place, file
        self.sample_rate: int = file.samplerate

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

    def read(self, offset: float = 0.0, duration: float | None = None, max_seconds: float = MAX_SECONDS) -> np.ndarray:
        """Decode a stretch; nothing else is read.

        Args:
            offset: begin of the stretch, seconds.
            duration: length of the stretch, seconds; None: to the end of the file.
            max_seconds: a longer stretch is an error.

        Returns:
            (N,) float32 samples at 16 kHz in [-1, 1], one channel, at least 400 of them.

        Raises:
            AudioError: see the table in this module's docstring.
        """
        start, num_frames = self._locate(offset, duration)
        LengthLimits(max_seconds=max_seconds).check(num_frames / self.sample_rate, self.place)
        waveform = self.read_samples(start, num_frames)
        if len(waveform) < num_frames:
            raise AudioError(
                f"cut short: expected {num_frames} samples from {start}, found {len(waveform)}", place=self.place
            )
        _check_samples(waveform, self.place)
        return np.clip(_resample(waveform, self.sample_rate), -1.0, 1.0)

    def read_samples(self, start: int, count: int) -> np.ndarray:
        """Up to `count` samples at the file's own rate, all channels averaged, (N,) float32, unchecked.

        Raises:
            AudioError: the file is corrupt there.
        """
        with _explained(self.place):
            self._file.seek(start)
            return self._file.read(count, dtype="float32", always_2d=True).mean(axis=1)

    def _locate(self, offset: float, duration: float | None) -> tuple[int, int]:
        """Start and length of a stretch in samples of the file's own rate."""
        file_seconds = self._file.frames / self.sample_rate
        end = file_seconds if duration is None else offset + duration
        if offset < 0 or end > file_seconds + END_TOLERANCE_SECONDS or (offset >= file_seconds and offset > 0):
            raise AudioError(
                f"the segment from {offset:.3f} s to {end:.3f} s lies outside the file, which is {file_seconds:.3f} s "
                "long",
                place=self.place,
            )
        start = round(offset * self.sample_rate)
        return start, min(round(end * self.sample_rate), self._file.frames) - start


@contextlib.contextmanager
def open_audio(audio: Path | AudioContent) -> Iterator[AudioFile]:
    """Open an audio file, on disk or in memory, for the time of the block.

    Raises:
        AudioError: the file is missing, empty, not audio, or cut short as far as its header tells.
    """
    import soundfile

    if isinstance(audio, AudioContent):
        place, size = audio.name, len(audio.content)
    else:
        place, path = str(audio), Path(audio)
        if not path.is_file():
            raise AudioError("audio file not found", place=place)
        size = path.stat().st_size
    if size == 0:
        raise AudioError("the audio file is empty (0 bytes)", place=place)
    source = io.BytesIO(audio.content) if isinstance(audio, AudioContent) else audio
    with _explained(place), soundfile.SoundFile(source) as file:
        _check_declared_size(file, place)
        yield AudioFile(place, file)


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


@contextlib.contextmanager
def _explained(place: str) -> Iterator[None]:
    import soundfile

    try:
        yield
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"not audio, corrupt or cut short ({error.error_string.strip() or error})", place=place
        ) from error


def _check_declared_size(file: "soundfile.SoundFile", place: str) -> None:
    # libsndfile reads a wav that was cut short as a shorter one and only notes it in its log.
    declared = re.search(r"^data : (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
    if declared is None:
        return
    expected, found = int(declared[1]), int(declared[2])
    was_written_to_a_pipe = expected >= 2**31 - 1  # the length was not known yet, whole all the same
    if expected > found and not was_written_to_a_pipe:
        raise AudioError(f"cut short: its header says {expected} bytes of samples, found {found}", place=place)


def _check_samples(waveform: np.ndarray, place: str) -> None:
    is_bad = ~np.isfinite(waveform)
    if is_bad.any():
        raise AudioError(
            f"{is_bad.sum()} samples are NaN or infinite, the first is number {is_bad.argmax()}", place=place
        )
    peak = float(np.abs(waveform).max())
    if peak > 2:
        raise AudioError(
            f"samples reach {peak:.4g}; expected floats scaled to [-1, 1]", place=place, advice="scale the file"
        )


def _resample(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    if sample_rate == SAMPLE_RATE:
        return waveform
    from scipy.signal import resample_poly

    divisor = math.gcd(SAMPLE_RATE, sample_rate)
    resampled = resample_poly(waveform, SAMPLE_RATE // divisor, sample_rate // divisor)
    return resampled.astype(np.float32, copy=False)
