"""SPLIT.yaml of MuST-C and mTEDx: one segment of a talk a line.

- {duration: 3.500000, offset: 16.080000, rW: 9, uW: 0, speaker_id: spk.767, wav: ted_767.wav}
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...errors import ManifestError
from ...files.text import read_text

KEYS = ("duration", "offset", "speaker_id", "wav")
# What needs no YAML parser, of which MuST-C's 230 000 lines take minutes: pairs without quotes or nesting.
PLAIN_SEGMENT = re.compile(r"- \{(\w+: [\w.+-]+(?:, \w+: [\w.+-]+)*)\}")


@dataclass(frozen=True)
class TalkSegment:
    """A stretch of a talk."""

    location: str  # FILE:LINE
    wav: str  # name of the talk's file
    offset: str  # seconds, as written
    duration: str
    speaker: str


def read_talk_segments(path: Path) -> Iterator[TalkSegment]:
    """Yield the segments of a file, in order.

    Raises:
        ManifestError: `FILE:LINE: ...`; the file cannot be read, or a line is not a segment.
    """
    for line_number, line in read_text(path):
        location = f"{path}:{line_number}"
        fields = _parse_plainly(line) or _parse_as_yaml(line, location)
        if fields is None:
            continue
        missing = [key for key in KEYS if not isinstance(fields.get(key), str) or not fields[key]]
        if missing:
            raise ManifestError(f"the segment lacks {', '.join(missing)}: {line}", place=location)
        yield TalkSegment(location, fields["wav"], fields["offset"], fields["duration"], fields["speaker_id"])


def _parse_plainly(line: str) -> dict[str, str] | None:
    """Fields of a line in the usual form; None for any other."""
    match = PLAIN_SEGMENT.fullmatch(line)
    return dict(item.split(": ") for item in match[1].split(", ")) if match else None


def _parse_as_yaml(line: str, location: str) -> dict[str, str] | None:
    """Fields of a line with quotes and the like; None for a blank line or a comment."""
    try:
        content = yaml.load(line, Loader=yaml.BaseLoader)  # everything stays text
    except yaml.YAMLError:
        content = line
    if not content:
        return None
    if not (isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict)):
        raise ManifestError(
            "expected one segment a line, such as\n- {duration: 3.5, offset: 16.08, speaker_id: spk.1, wav: "
            f"ted_1.wav}}\nfound {line}",
            place=location,
        )
    return content[0]
