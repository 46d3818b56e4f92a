"""Manifest rows -> frames in memory, in the order of the manifest; nothing is written to disk.

An error in one utterance names the manifest's line and the utterance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .audio import SAMPLE_RATE, load_audio
from .errors import AudioError, ExtractorError
from .extractors import Extractor
from .manifest import Utterance, location_of, read_manifest

# Padded length of a batch: fills a processor, and bounds attention, whose memory grows with count x longest^2.
BATCH_SECONDS = 60.0


@dataclass(frozen=True)
class SpokenUtterance:
    """A manifest row with audio, and where it stands (`FILE:LINE`)."""

    location: str
    utterance: Utterance


@dataclass(frozen=True)
class UtteranceFrames:
    """Frames (T, D) float32 of one utterance, and the length of its audio in seconds."""

    spoken: SpokenUtterance
    frames: np.ndarray
    seconds: float


def read_spoken(manifest_path: Path) -> list[SpokenUtterance]:
    """The rows of a manifest that have audio.

    Raises:
        ManifestError: see `read_manifest`.
    """
    utterances = read_manifest(manifest_path)
    return [
        SpokenUtterance(location_of(manifest_path, index), utterance)
        for index, utterance in enumerate(utterances)
        if utterance.audio is not None
    ]


def frame_batches(spoken: Sequence[SpokenUtterance], extractor: Extractor) -> Iterator[list[UtteranceFrames]]:
    """Decode and extract a batch at a time, in order.

    Batches are filled from left to right, so that starting at the beginning of any batch makes the same ones again.

    Raises:
        AudioError, ExtractorError: an utterance cannot be used; the batches before its own were yielded.
    """
    for batch, waveforms in _batches(spoken):
        yield [
            UtteranceFrames(item, frames, len(waveform) / SAMPLE_RATE)
            for item, frames, waveform in zip(batch, _extract(batch, waveforms, extractor), waveforms, strict=True)
        ]


def _batches(spoken: Sequence[SpokenUtterance]) -> Iterator[tuple[list[SpokenUtterance], list[np.ndarray]]]:
    batch: list[SpokenUtterance] = []
    waveforms: list[np.ndarray] = []
    longest = 0
    for item in spoken:
        waveform = _load(item)
        longest = max(longest, len(waveform))
        if batch and (len(batch) + 1) * longest > BATCH_SECONDS * SAMPLE_RATE:
            yield batch, waveforms
            batch, waveforms, longest = [], [], len(waveform)
        batch.append(item)
        waveforms.append(waveform)
    if batch:
        yield batch, waveforms


def _load(item: SpokenUtterance) -> np.ndarray:
    utterance = item.utterance
    if utterance.audio is None:
        raise ValueError(f"{_describe(item)} has no audio")
    try:
        return load_audio(utterance.audio, utterance.offset, utterance.duration)
    except AudioError as error:
        raise AudioError(f"{_describe(item)}: {error}") from error


def _extract(batch: list[SpokenUtterance], waveforms: list[np.ndarray], extractor: Extractor) -> list[np.ndarray]:
    try:
        frames_of_batch = extractor.frames(waveforms)
    except ExtractorError:
        _name_the_one_at_fault(batch, waveforms, extractor)
        raise
    for item, frames in zip(batch, frames_of_batch, strict=True):
        if not np.isfinite(frames).all():
            raise ExtractorError(f"{_describe(item)}: the extractor '{extractor.name}' gave NaN or infinite frames")
    return frames_of_batch


def _name_the_one_at_fault(batch: list[SpokenUtterance], waveforms: list[np.ndarray], extractor: Extractor) -> None:
    for item, waveform in zip(batch, waveforms, strict=True):
        try:
            extractor.frames([waveform])
        except ExtractorError as error:
            raise ExtractorError(f"{_describe(item)}: {error}") from error


def _describe(item: SpokenUtterance) -> str:
    return f"{item.location}: utterance '{item.utterance.id}'"
