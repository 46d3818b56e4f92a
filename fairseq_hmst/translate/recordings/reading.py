"""Reading recordings, each file opened once: loudness, cuts at pauses, and samples."""

import io
import logging
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioFile, check_audio, open_audio

from ..errors import TranslationError
from .recording import Recording, Stretch
from .segmentation import FRAME_SECONDS, find_segments

logger = logging.getLogger(__name__)

Timed = TypeVar("Timed", Recording, Stretch)

BLOCK_FRAMES = 1000  # of energies: 10 s, so that two hours take no more memory than that


def groups_of(items: Iterable[Timed], max_seconds: float) -> Iterator[list[Timed]]:
    """Neighbours whose lengths sum to no more than `max_seconds`; a longer one is a group by itself."""
    group: list[Timed] = []
    total = 0.0
    for item in items:
        if group and total + item.seconds > max_seconds:
            yield group
            group, total = [], 0.0
        group.append(item)
        total += item.seconds
    if group:
        yield group


def read_stretches(recordings: Iterable[Recording], max_seconds: float) -> Iterator[Stretch]:
    """Give recordings their stretches, and yield these with their waveforms, file after file.

    Args:
        recordings: those with a fault are left out; one that cannot be read gets a fault.
        max_seconds: length of the longest stretch of a recording that is cut.
    """
    for recording in recordings:
        if recording.fault is not None:
            continue
        try:
            with open_audio(recording.audio) as audio:
                recording.stretches = cut(recording, audio, max_seconds)
                for stretch in recording.stretches:
                    stretch.waveform = audio.read(stretch.offset, stretch.duration)
                    if audio.channels_cancel:
                        logger.warning(
                            "%s: the channels cancel each other from %.1f s on, so that their average, which is "
                            "translated, is nearly silent; take one of them, such as by `sox IN OUT remix 1`",
                            recording.source,
                            stretch.offset,
                        )
                    yield stretch
        except AudioError as error:
            recording.fault = TranslationError.of(error)


def cut(recording: Recording, audio: AudioFile, max_seconds: float) -> list[Stretch]:
    """All of a recording, or where it is long the segments in which somebody speaks.

    Args:
        recording: its length decides whether it is cut.
        audio: its file, open.
        max_seconds: length of the longest segment.

    Raises:
        AudioError: the file breaks off, or holds NaN or infinite samples.
    """
    if recording.seconds <= recording.uncut_seconds:
        return [Stretch(recording, recording.offset, recording.duration, recording.seconds)]
    energies = read_energies(audio, recording.offset, recording.seconds)
    return [
        Stretch(recording, recording.offset + start, end - start, end - start)
        for start, end in find_segments(energies, max_seconds)
    ]


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
        samples = audio.read_samples(begin + int(bounds[0]), int(bounds[-1] - bounds[0]))
        energies.append(_root_mean_squares(samples, bounds - bounds[0]))
    found = np.concatenate(energies)
    if not np.isfinite(found).all():
        first_bad = offset + float(np.isfinite(found).argmin()) * FRAME_SECONDS
        raise AudioError(f"NaN or infinite samples, the first {first_bad:.2f} s from its begin", place=audio.place)
    return found


def _root_mean_squares(samples: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Root mean square of the samples between neighbouring bounds, as far as there are any."""
    bounds = bounds[bounds <= len(samples)]
    if len(bounds) < 2:
        return np.zeros(0)
    sums = np.add.reduceat(samples[: bounds[-1]].astype(np.float64) ** 2, bounds[:-1])
    return np.sqrt(sums / np.diff(bounds))


def read_length(path: Path) -> float | None:
    """Seconds of an audio file, by its header; None where it cannot be read."""
    try:
        return check_audio(path, max_seconds=math.inf)
    except AudioError:
        return None


def read_peaks(path: Path, start: float, end: float, num_peaks: int) -> np.ndarray:
    """Lowest and highest sample of equal parts of a stretch of a file, its channels averaged.

    Args:
        path: the file.
        start, end: of the stretch, seconds; what lies beyond the end of the file is left out.
        num_peaks: about how many parts.

    Returns:
        (N, 2) float32, N about `num_peaks`.

    Raises:
        AudioError: the file cannot be read.
    """
    with open_audio(path) as audio:
        first, last = (round(seconds * audio.sample_rate) for seconds in (start, end))
        samples = audio.read_samples(first, last - first)
    size = max(1, len(samples) // max(1, num_peaks))
    parts = [samples[begin : begin + size] for begin in range(0, len(samples), size)]
    return np.array([(part.min(), part.max()) for part in parts], dtype=np.float32).reshape(-1, 2)


def read_as_flac(path: Path, start: float, end: float) -> bytes:
    """Sound of a stretch of a file as FLAC, its channels averaged; arguments and errors as `read_peaks`."""
    import soundfile

    with open_audio(path) as audio:
        first, last = (round(seconds * audio.sample_rate) for seconds in (start, end))
        samples = audio.read_samples(first, last - first)
        rate = audio.sample_rate
    flac = io.BytesIO()
    soundfile.write(flac, samples, rate, format="FLAC", subtype="PCM_16")
    return flac.getvalue()
