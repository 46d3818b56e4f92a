"""Logs of live translations: when which text was written, of simulstream and of `hmst live --format jsonl`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from ..errors import ScoreError
from ..texts import read_lines

FORMS = "expected the metrics log of simulstream, or what `hmst live --format jsonl` prints"
WORD_START = "▁"  # of SentencePiece
Line = TypeVar("Line")


@dataclass(frozen=True)
class LoggedUpdate:
    """A line of a log: text that one piece of sound added.

    Attributes:
        heard_seconds: sound of the recording so far.
        spent_seconds: computing for this update.
        tokens: pieces of SentencePiece that were added.
        deleted_tokens: pieces at the end of the text that were taken back before.
    """

    heard_seconds: float
    spent_seconds: float
    tokens: Sequence[str]
    deleted_tokens: Sequence[str] = ()


class _OwnLine(msgspec.Struct):
    heard: float
    spent: float
    committed: str


class _Loading(msgspec.Struct):
    model_loading_time: float


class _Metadata(msgspec.Struct):
    wav_name: str


class _Recording(msgspec.Struct):
    id: int | str
    metadata: _Metadata


class _Update(msgspec.Struct):
    id: int | str
    total_audio_processed: float
    computation_time: float
    generated_tokens: list[str]
    deleted_tokens: list[str]


def read_logs(paths: Sequence[Path]) -> dict[str, list[LoggedUpdate]]:
    """Updates of each recording, by its name without folder and extension.

    A log of simulstream names its recordings. One of `hmst live` is of one recording, whose name is the log's.

    Raises:
        ScoreError: a log cannot be read, a line is of another form, or a recording comes twice.
    """
    found: dict[str, list[LoggedUpdate]] = {}
    for path in paths:
        for name, updates in _read_log(path).items():
            if name in found:
                raise ScoreError(f"recording '{name}' is in another log too", place=path)
            found[name] = updates
    return found


def _read_log(path: Path) -> dict[str, list[LoggedUpdate]]:
    lines = [(f"{path}:{number}", line) for number, line in enumerate(read_lines(path), start=1) if line.strip()]
    objects = [(place, _read_object(line, place)) for place, line in lines]
    if not objects:
        raise ScoreError("empty", place=path)
    if "committed" in objects[0][1]:
        return {path.stem: [_own_update(_convert(line, _OwnLine, place)) for place, line in objects]}
    return _read_simulstream(objects)


def _own_update(line: _OwnLine) -> LoggedUpdate:
    tokens = [line.committed.replace(" ", WORD_START)] if line.committed else []
    return LoggedUpdate(line.heard, line.spent, tokens)


def _read_simulstream(lines: Sequence[tuple[str, dict[str, object]]]) -> dict[str, list[LoggedUpdate]]:
    found: dict[str, list[LoggedUpdate]] = {}
    by_id: dict[int | str, list[LoggedUpdate]] = {}
    for place, line in lines:
        if "model_loading_time" in line:
            _convert(line, _Loading, place)
        elif "metadata" in line:
            recording = _convert(line, _Recording, place)
            name = Path(recording.metadata.wav_name).stem
            if name in found:
                raise ScoreError(f"recording '{name}' for the second time", place=place)
            found[name] = by_id[recording.id] = []
        else:
            update = _convert(line, _Update, place)
            if update.id not in by_id:
                raise ScoreError(f"no line before it says which recording {update.id} is", place=place)
            by_id[update.id].append(
                LoggedUpdate(
                    update.total_audio_processed,
                    update.computation_time,
                    update.generated_tokens,
                    update.deleted_tokens,
                )
            )
    return found


def _read_object(line: str, place: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ScoreError(f"not an object of JSON: {error}", place=place, advice=FORMS) from error


def _convert(line: dict[str, object], kind: type[Line], place: str) -> Line:
    try:
        return msgspec.convert(line, kind)
    except msgspec.ValidationError as error:
        raise ScoreError(str(error), place=place, advice=FORMS) from error


def simulstream_log(recordings: Sequence[Sequence[LoggedUpdate]]) -> Iterator[str]:
    """Lines of a log of simulstream; recording number n is called `n.wav`."""
    for number, updates in enumerate(recordings):
        yield json.dumps({"id": number, "metadata": {"wav_name": f"{number}.wav"}})
        for update in updates:
            yield json.dumps(
                {
                    "id": number,
                    "total_audio_processed": update.heard_seconds,
                    "computation_time": update.spent_seconds,
                    "generated_tokens": list(update.tokens),
                    "deleted_tokens": list(update.deleted_tokens),
                }
            )
