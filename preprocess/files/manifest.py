"""Manifests: one utterance a row, in a tab-separated file with a header and without quoting.

Columns: id, audio, offset, duration, src_lang, tgt_lang, src_text, tgt_text, speaker. `audio` is relative to the
manifest's folder or absolute; offset and duration are seconds (an empty duration: to the end of the file). A row
without src_text serves speech translation alone, a row without audio text translation alone. A quote character is
plain text. UTF-8, with or without a byte order mark; lines end in LF or CRLF.
"""

import contextlib
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import ManifestError, PreprocessError
from .text import TextPair

MANIFEST_COLUMNS = ("id", "audio", "offset", "duration", "src_lang", "tgt_lang", "src_text", "tgt_text", "speaker")


@dataclass(frozen=True)
class Utterance:
    """A stretch of speech, its transcript and its translation; `""` and None say what is not known."""

    id: str
    audio: Path | None  # absolute
    offset: float  # seconds
    duration: float | None  # seconds; None: to the end of the file
    src_lang: str
    tgt_lang: str
    src_text: str
    tgt_text: str
    speaker: str

    @property
    def text_pair(self) -> TextPair:
        """The two texts as they are, not normalised."""
        return TextPair(self.id, self.src_text, self.tgt_text, self.src_lang, self.tgt_lang)


def read_manifest(path: Path, check_audio: bool = True) -> list[Utterance]:
    """Read and check a manifest; utterance i is in line i + 2.

    Args:
        path: the manifest.
        check_audio: False: audio files need not be there, for what only reads texts.

    Raises:
        ManifestError: `FILE:LINE: ...`; the first row that is not in the form that this module's docstring gives,
            names an audio file that does not exist, has an id that was used before, has no translation, or has
            neither audio nor transcript.
    """
    path = Path(path)
    utterances = []
    first_locations: dict[str, str] = {}
    for location, row in read_table(path, MANIFEST_COLUMNS, exact=True):
        utterance = parse_row(row, path.parent, location)
        with placed(utterance, location):
            check_utterance(utterance, location, first_locations, check_audio)
        utterances.append(utterance)
    return utterances


def location_of(path: Path, index: int) -> str:
    """`FILE:LINE` of the utterance at `index` of `read_manifest(path)`."""
    return f"{path}:{index + 2}"


def write_manifest(path: Path, utterances: Iterable[Utterance]) -> None:
    """Write checked utterances as a manifest at `path`.

    Audio beneath the manifest's folder, or beneath one of the two folders above that, is written relative to it, so
    that manifests and audio can be moved together; other audio is written absolute.

    Raises:
        ManifestError: a field holds a tab or a line break.
    """
    path = Path(path)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(MANIFEST_COLUMNS) + "\n")
        for utterance in utterances:
            file.write(_format_row(utterance, path.parent) + "\n")


def read_table(path: Path, columns: Iterable[str], exact: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (`FILE:LINE`, fields by column) of each row of a tab-separated file with a header. There is no quoting.

    Args:
        path: the file.
        columns: the columns that must be there.
        exact: True: these columns in this order and no other; False: in any order, beside others.

    Raises:
        ManifestError: missing file, not UTF-8, no rows, wrong columns, or a row with too many or too few fields.
    """
    lines = _read_lines(path)
    header = lines[0].split("\t")
    missing = [column for column in columns if column not in header]
    if missing or (exact and header != list(columns)):
        expected = "the columns" if exact else "at least the columns"
        raise ManifestError(
            f"expected {expected} {', '.join(columns)} (tab-separated), found {', '.join(header)}"
            + (f"; missing: {', '.join(missing)}" if missing else ""),
            place=f"{path}:1",
        )
    if len(set(header)) < len(header):
        raise ManifestError(f"each column must stand once, found {', '.join(header)}", place=f"{path}:1")
    if len(lines) == 1:
        raise ManifestError("there is a header but no row below it", place=f"{path}:1")
    for line_number, line in enumerate(lines[1:], start=2):
        fields = line.split("\t")
        if len(fields) != len(header):
            raise ManifestError(
                f"expected {len(header)} tab-separated fields ({len(header) - 1} tabs), found {len(fields)}",
                place=f"{path}:{line_number}",
                advice="a text must hold no tab or line break, an empty field still needs its tab",
            )
        yield f"{path}:{line_number}", dict(zip(header, fields, strict=True))


def parse_row(row: dict[str, str], folder: Path, location: str) -> Utterance:
    """Make an Utterance of the fields of one row; columns that are not there count as empty.

    Raises:
        ManifestError: offset or duration is not a number.
    """
    text = dict.fromkeys(MANIFEST_COLUMNS, "") | row
    return Utterance(
        id=text["id"],
        audio=Path(os.path.abspath(folder), text["audio"]) if text["audio"] else None,
        offset=_parse_seconds(text["offset"], "offset", location) or 0.0,
        duration=_parse_seconds(text["duration"], "duration", location),
        src_lang=text["src_lang"],
        tgt_lang=text["tgt_lang"],
        src_text=text["src_text"],
        tgt_text=text["tgt_text"],
        speaker=text["speaker"],
    )


@contextlib.contextmanager
def placed(utterance: Utterance, location: str) -> Iterator[None]:
    """Add the place of an utterance, `FILE:LINE` and its id, to errors of the block."""
    try:
        yield
    except PreprocessError as error:
        raise error.at(*places_of(utterance, location)) from error


def places_of(utterance: Utterance, location: str) -> tuple[str, ...]:
    """Places of an utterance for an error: `FILE:LINE`, and its id if it has one."""
    return (location, f"utterance '{utterance.id}'") if utterance.id.strip() else (location,)


def check_utterance(
    utterance: Utterance, location: str, first_locations: dict[str, str], check_audio: bool = True
) -> None:
    """Check one row by itself and its id against those before it; records the id in `first_locations`.

    Raises:
        ManifestError: see `read_manifest`; the place of the row is added by `placed`.
    """
    if not utterance.id.strip():
        raise ManifestError("the id is empty")
    if utterance.id in first_locations:
        raise ManifestError(f"the id was used before, in {first_locations[utterance.id]}")
    first_locations[utterance.id] = location
    if utterance.offset < 0:
        raise ManifestError(f"offset must be at least 0 seconds, found {utterance.offset}")
    if utterance.duration is not None and utterance.duration <= 0:
        raise ManifestError(
            f"duration must be above 0 seconds, found {utterance.duration}",
            advice="empty means: to the end of the file",
        )
    for column in ("src_lang", "tgt_lang"):
        if not getattr(utterance, column).strip():
            raise ManifestError(f"{column} is empty", advice="expected a language such as 'en'")
    if not utterance.tgt_text.strip():
        raise ManifestError("tgt_text is empty", advice="every row needs a translation, leave out rows that have none")
    if utterance.audio is None and not utterance.src_text.strip():
        raise ManifestError("has neither audio nor src_text", advice="a row needs at least one of them")
    if check_audio and utterance.audio is not None and not utterance.audio.is_file():
        raise ManifestError(
            f"audio not found: {utterance.audio}", advice="paths are relative to the folder of the file or absolute"
        )


def _read_lines(path: Path) -> list[str]:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ManifestError(f"cannot be read: {error.strerror}", place=path) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line_number = content.count(b"\n", 0, error.start) + 1
        raise ManifestError(
            f"expected UTF-8, found the byte 0x{content[error.start]:02X}",
            place=f"{path}:{line_number}",
            advice="convert the file",
        ) from error
    if not text.strip():
        raise ManifestError("is empty", place=path, advice="expected a header line and rows")
    # Not splitlines(): it also splits at separators that a text may hold.
    return [line.removesuffix("\r") for line in text.rstrip("\r\n").split("\n")]


def _parse_seconds(text: str, column: str, location: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ManifestError(f"{column} must be a number of seconds or empty, found '{text}'", place=location)
    return seconds


def _format_row(utterance: Utterance, folder: Path) -> str:
    fields = [
        utterance.id,
        _format_audio(utterance.audio, folder),
        repr(utterance.offset) if utterance.offset else "",
        "" if utterance.duration is None else repr(utterance.duration),
        utterance.src_lang,
        utterance.tgt_lang,
        utterance.src_text,
        utterance.tgt_text,
        utterance.speaker,
    ]
    for column, field in zip(MANIFEST_COLUMNS, fields, strict=True):
        if any(character in field for character in "\t\n\r"):
            raise ManifestError(f"{column} holds a tab or a line break: {field!r}", place=f"utterance '{utterance.id}'")
    return "\t".join(fields)


def _format_audio(audio: Path | None, folder: Path) -> str:
    if audio is None:
        return ""
    folder = Path(os.path.abspath(folder))
    is_near = any(Path(os.path.abspath(audio)).is_relative_to(parent) for parent in folder.parents[:2])
    return os.path.relpath(audio, folder) if is_near else str(audio)
