"""SPLIT.yaml of MuST-C and mTEDx: the segments of talks, in any style of YAML.

- {duration: 3.500000, offset: 16.080000, rW: 9, uW: 0, speaker_id: spk.767, wav: ted_767.wav}
- duration: 2.5
  offset: 20.0
  speaker_id: NA
  wav: ted_767.wav

or all of them in one list, `[{duration: ...}, ...]`. A segment that is not in its form is a fault of its own.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...errors import ManifestError
from ...files.reading.lines import Line, read_lines

KEYS = ("duration", "offset", "speaker_id", "wav")
# What needs no YAML parser, by which MuST-C's 230 000 lines take half a minute: pairs without quotes or nesting.
PLAIN_SEGMENT = re.compile(r"- \{(\w+: [\w.+-]+(?:, \w+: [\w.+-]+)*)\}")
MAX_DEPTH = 100  # of brackets
MAX_SHOWN = 500  # characters of a segment at fault
# Everything stays text.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True)
class TalkSegment:
    """A stretch of a talk; texts are "" where the segment is at fault and does not tell them."""

    location: str  # FILE:LINE
    wav: str  # name of the talk's file
    offset: str  # seconds, as written
    duration: str
    speaker: str
    fault: ManifestError | None = None

    def check(self) -> None:
        """Raise the fault of the segment, if it has one."""
        if self.fault is not None:
            raise self.fault


def read_talk_segments(path: Path) -> Iterator[TalkSegment]:
    """Yield the segments of a file, in order.

    Raises:
        ManifestError: the file cannot be read, or is no list of segments.
    """
    lines = list(read_lines(path))
    first = next((line for line in lines if not _is_between_items(line)), None)
    if first is None:
        return
    dash = next((match for line in lines if (match := re.match(rb" *- ", line.content))), None)
    if dash is None or re.match(rb"\s*[\[{]|.*:\s*$", first.content):
        yield from _read_document(path, lines)
        return
    for item in _cut(lines, dash[0]):
        yield _read_item(item)


def _is_between_items(line: Line) -> bool:
    """Whether a line is blank, a comment, a directive, or begins or ends a document."""
    return not line.content.strip() or line.content.lstrip().startswith((b"#", b"%", b"---", b"..."))


def _cut(lines: Iterable[Line], dash: bytes) -> Iterator[list[Line]]:
    """Lines of one item of the list after the other; `dash` begins an item."""
    item: list[Line] = []
    for line in lines:
        if line.content.startswith(dash) or (item and _is_stray(line, dash, item)):
            if item:
                yield item
            item = [line]
        elif item and not line.content.startswith((b"---", b"...")):
            item.append(line)
        elif not _is_between_items(line):
            item = [line]  # is no item, which parsing it will say
    yield item


def _is_stray(line: Line, dash: bytes, item: list[Line]) -> bool:
    """Whether a line is no part of the item before it, which is whole without."""
    if _is_between_items(line) or line.content.startswith(b" " * (len(dash) - 1)):
        return False
    try:
        return bool(_compose("\n".join(line.content.decode(errors="replace") for line in item)))
    except yaml.YAMLError:
        return False


def _read_item(lines: list[Line]) -> TalkSegment:
    location = lines[0].location
    try:
        text = "\n".join(line.text for line in lines)
        match = PLAIN_SEGMENT.fullmatch(text)
        if match:
            return _make_segment(dict(item.split(": ") for item in match[1].split(", ")), location, text)
        node = _compose(text)
    except ManifestError as error:
        return TalkSegment(location, "", "", "", "", error)
    except yaml.YAMLError:
        node = None
    if isinstance(node, yaml.SequenceNode) and len(node.value) == 1:
        node = node.value[0]
    return _read_node(node, location, text)


def _compose(text: str) -> yaml.Node | None:
    """The root of a text.

    Raises:
        yaml.YAMLError: it is not valid, or nested so deeply that libyaml would end the process.
    """
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"it has more than {MAX_DEPTH} brackets within each other")
    return yaml.compose(text, Loader=LOADER)


def _read_document(path: Path, lines: list[Line]) -> Iterator[TalkSegment]:
    """Segments of a file that is one list in brackets."""
    try:
        root = _compose("\n".join(line.text for line in lines))
    except yaml.YAMLError as error:
        raise ManifestError(f"not valid YAML: {error}", place=path) from error
    if not isinstance(root, yaml.SequenceNode):
        raise ManifestError(f"{EXPECTED}, found no list", place=path)
    for node in root.value:
        yield _read_node(node, f"{path}:{node.start_mark.line + 1}", "")


def _read_node(node: yaml.Node | None, location: str, text: str) -> TalkSegment:
    """A segment that may have keys without a value, such as the 5 of `duration: 1,5`, or keys that are no words."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    odd = ""
    for key, value in pairs:
        if not isinstance(key, yaml.ScalarNode):
            odd = odd or "a key that is a list or mapping"
        elif value.start_mark.index == key.end_mark.index:  # there is no colon between them
            odd = odd or f"a key without a value, {key.value!r}"
    fields = {
        key.value: value.value
        for key, value in pairs
        if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)
    }
    return _make_segment(fields, location, text, odd)


def _make_segment(fields: dict[str, str], location: str, text: str, odd: str = "") -> TalkSegment:
    values = {key: fields.get(key, "") for key in KEYS}
    missing = [key for key, value in values.items() if not value]
    shown = textwrap.shorten(text or str(fields), MAX_SHOWN)
    fault = None
    if not fields:
        fault = ManifestError(f"{EXPECTED}\nfound {shown}", place=location)
    elif odd:
        fault = ManifestError(
            f"the segment has {odd}: {shown}", place=location, advice="write numbers with a point, quote other commas"
        )
    elif missing:
        fault = ManifestError(f"the segment lacks {', '.join(missing)}: {shown}", place=location)
    return TalkSegment(location, values["wav"], values["offset"], values["duration"], values["speaker_id"], fault)


EXPECTED = "expected a list of segments, such as\n- {duration: 3.5, offset: 16.08, speaker_id: spk.1, wav: ted_1.wav}"
