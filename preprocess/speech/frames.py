"""Manifest rows -> frames in memory, a batch of similar length at a time; nothing is written to disk.

Rows that share audio, offset and duration, such as translations into several languages, are one segment, which is
decoded and encoded once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import AudioError, ExtractorError
from ..files.manifest import location_of, read_manifest
from .audio import SAMPLE_RATE, load_audio
from .extractors import Extractor

# Padded length of a batch: fills a processor, and bounds attention, whose memory grows with count x longest^2.
BATCH_SECONDS = 60.0


@dataclass(frozen=True)
class Segment:
    """A stretch of an audio file, and the ids and places (`FILE:LINE`) of the manifest rows that it serves."""

    audio: Path
    offset: float  # seconds
    duration: float | None  # seconds; None: to the end of the file
    ids: tuple[str, ...]
    locations: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.locations[0]}: utterance '{self.ids[0]}'"


@dataclass(frozen=True)
class SegmentFrames:
    """What became of the segment at `position` of those asked for."""

    position: int
    segment: Segment
    frames: np.ndarray  # (T, D) float32; T is 0 where the segment cannot be used
    seconds: float
    fault: str = ""  # why it cannot be used


def read_segments(manifest_path: Path, check_audio: bool) -> list[Segment]:
    """The audio of a manifest, in the order in which it first occurs there.

    Raises:
        ManifestError: see `read_manifest`.
    """
    rows: dict[tuple[Path, float, float | None], list[tuple[str, str]]] = {}
    for index, utterance in enumerate(read_manifest(manifest_path, check_audio)):
        if utterance.audio is not None:
            key = (utterance.audio, utterance.offset, utterance.duration)
            rows.setdefault(key, []).append((utterance.id, location_of(manifest_path, index)))
    return [Segment(*key, *zip(*sharing, strict=True)) for key, sharing in rows.items()]


def extract_frames(segments: Sequence[Segment], extractor: Extractor, skip_faults: bool) -> Iterator[SegmentFrames]:
    """Decode the segments, all at once, and extract their frames, the longest first.

    Args:
        segments: some minutes of audio.
        extractor: makes the frames.
        skip_faults: True: a segment that cannot be used is yielded without frames; False: it is an error.

    Raises:
        AudioError, ExtractorError: a segment cannot be used; the message names its row and the row's place.
    """

    def without_frames(position: int, error: AudioError | ExtractorError) -> SegmentFrames:
        if not skip_faults:
            raise type(error)(f"{segments[position]}: {error}") from error
        nothing = np.zeros((0, extractor.width), dtype=np.float32)
        return SegmentFrames(position, segments[position], nothing, 0.0, str(error))

    waveforms: dict[int, np.ndarray] = {}
    for position, segment in enumerate(segments):
        try:
            waveforms[position] = load_audio(segment.audio, segment.offset, segment.duration)
        except AudioError as error:
            yield without_frames(position, error)
    for batch in _batches(waveforms):
        for position, frames in zip(batch, _try_frames([waveforms[i] for i in batch], extractor), strict=True):
            if isinstance(frames, ExtractorError):
                yield without_frames(position, frames)
            else:
                yield SegmentFrames(position, segments[position], frames, len(waveforms[position]) / SAMPLE_RATE)


def _batches(waveforms: dict[int, np.ndarray]) -> Iterator[list[int]]:
    """Keys of `waveforms`, those of similar length together."""
    batch: list[int] = []
    for position in sorted(waveforms, key=lambda position: -len(waveforms[position])):
        if batch and (len(batch) + 1) * len(waveforms[batch[0]]) > BATCH_SECONDS * SAMPLE_RATE:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def _try_frames(waveforms: list[np.ndarray], extractor: Extractor) -> list[np.ndarray | ExtractorError]:
    """Frames of a batch; where the extractor refuses it, of each waveform by itself, or the error."""
    try:
        found = extractor.frames(waveforms)
    except ExtractorError as error:
        if len(waveforms) == 1:
            return [error]
        return [result for waveform in waveforms for result in _try_frames([waveform], extractor)]
    not_finite = ExtractorError(f"the extractor '{extractor.name}' gave NaN or infinite frames")
    return [frames if np.isfinite(frames).all() else not_finite for frames in found]
