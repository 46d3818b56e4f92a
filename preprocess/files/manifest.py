"""Manifests: one utterance a row, in a tab-separated file with a header and without quoting.

Columns: id, audio, offset, duration, src_lang, tgt_lang, src_text, tgt_text, speaker. `audio` is relative to the
manifest's folder or absolute; offset and duration are seconds (an empty duration: to the end of the file). A row
without src_text serves speech translation alone, a row without audio text translation alone. A quote character is
plain text. UTF-8, with or without a byte order mark; lines end in LF or CRLF. Bytes of `audio` that are not UTF-8 are
kept as they are: names of files may hold any.
"""

import contextlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ManifestError, PreprocessError
from .cards.manifest_cards import check_manifest
from .faults import joined_error, make_usable
from .reading.obstacle import find_obstacle
from .reading.table import TableRow, read_table
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
        ManifestError: `FILE:LINE: ...`; a row is not in the form that this module's docstring gives, names an audio
            file that does not exist, has an id that was used before, has no translation, or has neither audio nor
            transcript. Of several such rows the error lists the first.
        MismatchError: the manifest has changed since the stage `manifest` wrote it.
    """
    path = Path(path)
    check_manifest(path)
    first_locations: dict[str, str] = {}
    errors: list[PreprocessError] = []

    def make(row: TableRow) -> Utterance:
        utterance = parse_row(row.fields, path.parent, row.location)
        with placed(utterance, row.location):
            check_utterance(utterance, row.location, first_locations, check_audio)
        return utterance

    utterances = list(make_usable(read_table(path, MANIFEST_COLUMNS, exact=True), make, errors.append))
    if errors:
        raise joined_error(errors, f"rows of {path}")
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
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        file.write("\t".join(MANIFEST_COLUMNS) + "\n")
        for utterance in utterances:
            file.write(_format_row(utterance, path.parent) + "\n")


def parse_row(row: Mapping[str, str], folder: Path, location: str) -> Utterance:
    """Make an Utterance of the fields of one row; columns that are not there count as empty.

    Raises:
        ManifestError: offset or duration is not a number.
    """
    text = {**dict.fromkeys(MANIFEST_COLUMNS, ""), **row}
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
    for column in ("id", "src_lang", "tgt_lang", "src_text", "tgt_text", "speaker"):
        _check_field(column, getattr(utterance, column))
    if utterance.audio is not None:
        _check_field("audio", str(utterance.audio))
        if check_audio:
            check_audio_file(utterance.audio)


def check_audio_file(path: Path) -> None:
    """Check that a file is there and may be read; whether it is audio, decoding shows.

    Raises:
        ManifestError: it is missing, a folder, or closed to this user; what is there instead is named.
    """
    obstacle = find_obstacle(path)
    if obstacle is None:
        return
    if obstacle.is_missing:
        advice = obstacle.advice or "paths are relative to the folder of the file or absolute"
        raise ManifestError(f"audio not found: {path}", advice=advice)
    raise ManifestError(f"audio cannot be read: {path}: {obstacle.found}", advice=obstacle.advice)


def _check_field(column: str, text: str) -> None:
    for character, name in (("\t", "a tab"), ("\n", "a line break"), ("\r", "a carriage return")):
        if character in text:
            raise ManifestError(f"{column} holds {name}: {text!r}", advice="write a space instead")


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
        try:
            _check_field(column, field)
        except ManifestError as error:
            raise error.at(f"utterance '{utterance.id}'") from error
    return "\t".join(fields)


def _format_audio(audio: Path | None, folder: Path) -> str:
    if audio is None:
        return ""
    folder = Path(os.path.abspath(folder))
    is_near = any(Path(os.path.abspath(audio)).is_relative_to(parent) for parent in folder.parents[:2])
    return os.path.relpath(audio, folder) if is_near else str(audio)
