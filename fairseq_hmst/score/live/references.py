"""Reference sentences of recordings, with their times: a YAML list as of MuST-C, and a text file."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import yaml

from ..errors import ScoreError
from ..texts import read_lines

FORM = "expected a list of {wav: NAME, offset: SECONDS, duration: SECONDS}"


class ReferenceSegment(msgspec.Struct, frozen=True):
    """Place of a reference sentence in a recording; other keys of the YAML are not read.

    Attributes:
        wav: the recording; folder and extension do not count.
        offset, duration: seconds.
    """

    wav: str
    offset: float
    duration: float

    @property
    def recording(self) -> str:
        """Name of the recording without folder and extension."""
        return Path(self.wav).stem


@dataclass(frozen=True)
class LiveReferences:
    """Sentences of some recordings, those of a recording behind each other.

    Attributes:
        segmentation, text: the files, for errors.
        segments: one a sentence.
        sentences: parallel to them.
    """

    segmentation: Path
    text: Path
    segments: Sequence[ReferenceSegment]
    sentences: Sequence[str]

    @property
    def recordings(self) -> list[str]:
        """Names of the recordings, in order."""
        return list(dict.fromkeys(segment.recording for segment in self.segments))

    @classmethod
    def read(cls, segmentation: Path, text: Path) -> Self:
        """Read both files.

        Raises:
            ScoreError: one cannot be read or is of another form, their lengths differ, or a segment is out of place.
        """
        segments = _read_segments(segmentation)
        sentences = read_lines(text)
        if len(segments) != len(sentences):
            raise ScoreError(
                f"{segmentation} and {text} do not fit: {len(segments)} segments, {len(sentences)} sentences"
            )
        _check(segments, segmentation)
        return cls(segmentation, text, segments, sentences)


def _read_segments(path: Path) -> list[ReferenceSegment]:
    try:
        content = yaml.load("\n".join(read_lines(path)), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return msgspec.convert(content, list[ReferenceSegment])
    except yaml.YAMLError as error:
        raise ScoreError(f"not YAML: {' '.join(str(error).split())}", place=path, advice=FORM) from error
    except msgspec.ValidationError as error:
        raise ScoreError(str(error), place=path, advice=FORM) from error


def _check(segments: Sequence[ReferenceSegment], path: Path) -> None:
    wav_of: dict[str, str] = {}
    previous = ""
    for number, segment in enumerate(segments, start=1):
        if fault := _find_fault(segment, previous, wav_of):
            raise ScoreError(fault, place=f"{path}, segment {number}")
        previous = segment.recording
        wav_of[previous] = segment.wav


def _find_fault(segment: ReferenceSegment, previous: str, wav_of: Mapping[str, str]) -> str:
    """Explain what is wrong with a segment; "" where nothing is.

    Args:
        segment: the one in question.
        previous: recording of the one before it.
        wav_of: full name of each recording so far.
    """
    if not (math.isfinite(segment.offset) and segment.offset >= 0):
        return f"offset must be 0 or more, got {segment.offset:g}"
    if not (math.isfinite(segment.duration) and segment.duration > 0):
        return f"duration must be above 0, got {segment.duration:g}"
    known = wav_of.get(segment.recording, segment.wav)
    if known != segment.wav:
        return f"{segment.wav} and {known} have the same name '{segment.recording}'"
    if segment.recording in wav_of and segment.recording != previous:
        return f"{segment.wav} comes again; segments of a recording must follow each other"
    return ""
