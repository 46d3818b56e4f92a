"""Decoding: any audio file that libsndfile reads -> mono float32 samples at 16 kHz in [-1, 1].

| file or segment                                   | what happens                                                   |
|---------------------------------------------------|----------------------------------------------------------------|
| wav, flac, ogg, opus, mp3 at any sampling rate    | resampled to 16 kHz                                            |
| stereo or more channels                           | averaged to one                                                |
| silent                                            | fine: silence is sound too                                     |
| float samples a little beyond 1 (up to 2)         | clipped to [-1, 1]; lossy codecs overshoot                     |
| float samples beyond 2                            | error: they are not scaled to [-1, 1]                          |
| segment ends up to 50 ms after its file           | cut at the end of the file: manifests round                    |
| segment ends or begins later than that            | error                                                          |
| longer than 60 s                                  | error: cut it by rows with offset and duration                 |
| shorter than 25 ms (such as 20 ms)                | error: no speech encoder makes a frame of it                   |
| missing, empty, not audio, corrupt                | error                                                          |
| cut short: wav, flac, mp3                         | error                                                          |
| cut short: ogg, opus                              | most are read as a shorter file: they do not tell their length |
| NaN or infinite samples                           | error                                                          |

Every error is an AudioError that names the file. Levels are not changed and silence is not removed.
"""

import contextlib
import math
import re
from collections.abc import Iterator
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


def load_audio(
    path: Path, offset: float = 0.0, duration: float | None = None, max_seconds: float = MAX_SECONDS
) -> np.ndarray:
    """Decode a segment of an audio file; only the segment is read.

    Args:
        path: any file that libsndfile reads.
        offset: begin of the segment, seconds.
        duration: length of the segment, seconds; None: to the end of the file.
        max_seconds: a longer segment is an error.

    Returns:
        (N,) float32 samples at 16 kHz in [-1, 1], one channel, at least 400 of them.

    Raises:
        AudioError: see the table in this module's docstring.
    """
    with _open(path) as file:
        start, num_frames = _locate(file, path, offset, duration, max_seconds)
        file.seek(start)
        channels = file.read(num_frames, dtype="float32", always_2d=True)
        sample_rate = file.samplerate
    if len(channels) < num_frames:
        raise AudioError(f"{path}: cut short: expected {num_frames} samples from {start}, found {len(channels)}")
    waveform = channels.mean(axis=1)
    _check_samples(waveform, path)
    return np.clip(_resample(waveform, sample_rate), -1.0, 1.0)


def check_audio(
    path: Path, offset: float = 0.0, duration: float | None = None, max_seconds: float = MAX_SECONDS
) -> float:
    """Check what the file's header tells, without decoding it, and return the segment's length in seconds.

    Raises:
        AudioError: as `load_audio`, but for faults that only decoding shows.
    """
    with _open(path) as file:
        return _locate(file, path, offset, duration, max_seconds)[1] / file.samplerate


@contextlib.contextmanager
def _open(path: Path) -> Iterator["soundfile.SoundFile"]:
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path}: audio file not found")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the audio file is empty (0 bytes)")
    try:
        with soundfile.SoundFile(path) as file:
            _check_declared_size(file, path)
            yield file
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path}: not audio, corrupt or cut short ({error.error_string.strip() or error})") from error


def _check_declared_size(file: "soundfile.SoundFile", path: Path) -> None:
    # libsndfile reads a wav that was cut short as a shorter one and only notes it in its log.
    declared = re.search(r"^data : (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
    if declared is None:
        return
    expected, found = int(declared[1]), int(declared[2])
    was_written_to_a_pipe = expected >= 2**31 - 1  # the length was not known yet, whole all the same
    if expected > found and not was_written_to_a_pipe:
        raise AudioError(f"{path}: cut short: its header says {expected} bytes of samples, found {found}")


def _locate(
    file: "soundfile.SoundFile", path: Path, offset: float, duration: float | None, max_seconds: float
) -> tuple[int, int]:
    """Start and length of the segment in samples of the file's own rate."""
    file_seconds = file.frames / file.samplerate
    end = file_seconds if duration is None else offset + duration
    if offset < 0 or end > file_seconds + END_TOLERANCE_SECONDS or (offset >= file_seconds and offset > 0):
        raise AudioError(
            f"{path}: the segment from {offset:.3f} s to {end:.3f} s lies outside the file, "
            f"which is {file_seconds:.3f} s long"
        )
    start = round(offset * file.samplerate)
    num_frames = min(round(end * file.samplerate), file.frames) - start
    seconds = num_frames / file.samplerate
    if seconds < MIN_SECONDS:
        raise AudioError(
            f"{path}: too short: {1000 * seconds:.1f} ms, expected at least {1000 * MIN_SECONDS:.0f} ms; "
            "leave the row out"
        )
    if seconds > max_seconds:
        raise AudioError(
            f"{path}: too long: {seconds:.1f} s, expected at most {max_seconds:.0f} s; "
            "cut it into rows with offset and duration"
        )
    return start, num_frames


def _check_samples(waveform: np.ndarray, path: Path) -> None:
    is_bad = ~np.isfinite(waveform)
    if is_bad.any():
        raise AudioError(f"{path}: {is_bad.sum()} samples are NaN or infinite, the first is number {is_bad.argmax()}")
    peak = float(np.abs(waveform).max())
    if peak > 2:
        raise AudioError(f"{path}: samples reach {peak:.4g}; expected floats scaled to [-1, 1]; scale the file")


def _resample(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    if sample_rate == SAMPLE_RATE:
        return waveform
    from scipy.signal import resample_poly

    divisor = math.gcd(SAMPLE_RATE, sample_rate)
    resampled = resample_poly(waveform, SAMPLE_RATE // divisor, sample_rate // divisor)
    return resampled.astype(np.float32, copy=False)
