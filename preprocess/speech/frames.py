"""Manifest rows -> frames in memory, a batch of similar length at a time; nothing is written to disk.

Rows that share audio, offset and duration, such as translations into several languages, are one span, which is decoded
and encoded once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import AudioError, ExtractorError
from ..files.manifest import Utterance, location_of, read_manifest
from ..files.reading.finite import first_bad_row, is_finite
from ..files.speeds import ONE_SPEED, find_equal_ids, id_at_speed
from .audio import SAMPLE_RATE, Sound, load_sound
from .extractors import Extractor

# Padded length of a batch: fills a processor, and bounds attention, whose memory grows with count x longest^2.
BATCH_SECONDS = 60.0


@dataclass(frozen=True)
class AudioSpan:
    """A stretch of an audio file, and the manifest rows that it serves.

    Attributes:
        audio: the file.
        offset: begin, seconds.
        duration: seconds; None: to the end of the file.
        ids, locations: of the rows at this speed, and their places, `FILE:LINE`.
        speaker: of the first row; "" where it is not known.
        speed: times as fast as it was spoken.
    """

    audio: Path
    offset: float
    duration: float | None
    ids: tuple[str, ...]
    locations: tuple[str, ...]
    speaker: str = ""
    speed: float = 1.0

    @property
    def stretch(self) -> tuple[Path, float, float | None]:
        """The file, offset and duration, the same at every speed."""
        return self.audio, self.offset, self.duration

    @property
    def places(self) -> tuple[str, str]:
        """Places of its first row, for an error."""
        return self.locations[0], f"utterance '{self.ids[0]}'"


@dataclass(frozen=True)
class SpanFrames:
    """Frames of one of the spans that were asked for.

    Attributes:
        position: of the span among those.
        span: the span.
        frames: (T, D) float32; T is 0 where the span cannot be used.
        seconds: its length.
        fault: why it cannot be used.
        channels_cancel: whether its channels cancel each other, so that the frames are of near silence.
    """

    position: int
    span: AudioSpan
    frames: np.ndarray
    seconds: float
    fault: AudioError | ExtractorError | None = None
    channels_cancel: bool = False


def read_spans(manifest_path: Path, check_audio: bool, speeds: Sequence[float] = ONE_SPEED) -> list[AudioSpan]:
    """The audio of a manifest, in the order in which it first occurs; each stretch at all speeds.

    Raises:
        ManifestError: see `read_manifest`; or a row has the id of another one at a speed.
    """
    utterances = enumerate(read_manifest(manifest_path, check_audio))
    rows = [(utterance, location_of(manifest_path, index)) for index, utterance in utterances]
    for error in find_equal_ids(rows, speeds):
        raise error
    return make_spans(rows, speeds)


def make_spans(rows: Iterable[tuple[Utterance, str]], speeds: Sequence[float] = ONE_SPEED) -> list[AudioSpan]:
    """The audio of rows, in the order in which it first occurs; those without audio are left out.

    Args:
        rows: each with its place, `FILE:LINE`.
        speeds: of each stretch, in the order in which its spans follow each other.
    """
    sharing_rows: dict[tuple[Path, float, float | None], list[tuple[str, str, str]]] = {}
    for row, location in rows:
        if row.audio is not None:
            sharing_rows.setdefault((row.audio, row.offset, row.duration), []).append((row.id, location, row.speaker))
    spans = []
    for key, sharing in sharing_rows.items():
        ids, locations, speakers = zip(*sharing, strict=True)
        for speed in speeds:
            ids_there = tuple(id_at_speed(identifier, speed) for identifier in ids)
            spans.append(AudioSpan(*key, ids_there, locations, speakers[0], speed))
    return spans


def extract_frames(spans: Sequence[AudioSpan], extractor: Extractor, skip_faults: bool) -> Iterator[SpanFrames]:
    """Decode the spans, all at once, and extract their frames, the longest first.

    Args:
        spans: some minutes of audio.
        extractor: makes the frames.
        skip_faults: True: a span that cannot be used is yielded without frames; False: it is an error.

    Raises:
        AudioError, ExtractorError: a span cannot be used; the places are those of its first row.
    """

    def without_frames(position: int, error: AudioError | ExtractorError) -> SpanFrames:
        if not skip_faults:
            raise error.at(*spans[position].places) from error
        nothing = np.zeros((0, extractor.width), dtype=np.float32)
        return SpanFrames(position, spans[position], nothing, 0.0, error)

    sounds: dict[int, Sound] = {}
    for position, span in enumerate(spans):
        try:
            sounds[position] = load_sound(span.audio, span.offset, span.duration, span.speed)
        except AudioError as error:
            yield without_frames(position, error)
    for position, frames in frames_of({key: sound.samples for key, sound in sounds.items()}, extractor):
        if isinstance(frames, ExtractorError):
            yield without_frames(position, frames)
        else:
            sound = sounds[position]
            seconds = len(sound.samples) / SAMPLE_RATE
            yield SpanFrames(position, spans[position], frames, seconds, channels_cancel=sound.channels_cancel)


def frames_of(
    waveforms: Mapping[int, np.ndarray], extractor: Extractor
) -> Iterator[tuple[int, np.ndarray | ExtractorError]]:
    """Yield the key and the frames of each waveform, or its error; similar lengths go together.

    Args:
        waveforms: (N,) float32 samples at 16 kHz each.
        extractor: makes the frames, (T, D) float32 each.
    """
    for batch in _batches(waveforms):
        yield from zip(batch, _try_frames([waveforms[key] for key in batch], extractor), strict=True)


def _batches(waveforms: Mapping[int, np.ndarray]) -> Iterator[list[int]]:
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
    return [_if_finite(frames, extractor) for frames in found]


def _if_finite(frames: np.ndarray, extractor: Extractor) -> np.ndarray | ExtractorError:
    if is_finite(frames):
        return frames
    first = first_bad_row(frames)
    return ExtractorError(
        f"the extractor '{extractor.name}' gave NaN or infinite frames, the first of them {first} of {len(frames)}"
    )
