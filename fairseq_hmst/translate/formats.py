"""Translations as text: lines, tab-separated rows, JSON, and subtitles (SubRip)."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from preprocess.files.reading.escaping import escape_field, to_json
from preprocess.files.whole import whole_file

from .results import Segment, Translation

Write = Callable[[str], object]  # of one line


class Writer(Protocol):
    """One of the formats below: translations one after the other, and then the end."""

    def add(self, translation: Translation) -> None:
        """Write a translation."""
        ...

    def close(self) -> None:
        """Write what ends the output."""
        ...


class Lines:
    """`source<TAB>translation`; of lines of text the translation alone, empty where there is none."""

    def __init__(self, write: Write, is_text: bool) -> None:
        self._write, self._is_text = write, is_text

    def add(self, translation: Translation) -> None:
        """Write a translation."""
        if self._is_text:
            self._write(translation.text)
        elif translation.fault is None:
            self._write(f"{escape_field(translation.source)}\t{translation.text}")

    def close(self) -> None:
        """Nothing is left to write."""


class Rows:
    """A header, and a row for each segment, or with `ranks` for each of its hypotheses."""

    def __init__(self, write: Write, is_text: bool, ranks: bool) -> None:
        self._write, self._is_text, self._ranks = write, is_text, ranks
        times = [] if is_text else ["start", "end"]
        write("\t".join(["source" if is_text else "file", *times, *(["rank", "score"] if ranks else []), "text"]))

    def add(self, translation: Translation) -> None:
        """Write the rows of a translation."""
        for segment in translation.segments:
            times = [] if self._is_text else [f"{segment.start:.2f}", f"{segment.end:.2f}"]
            for rank, hypothesis in enumerate(segment.nbest if self._ranks else segment.nbest[:1], start=1):
                ranks = [str(rank), f"{hypothesis.score:.4f}"] if self._ranks else []
                self._write("\t".join([escape_field(translation.source), *times, *ranks, hypothesis.text]))

    def close(self) -> None:
        """Nothing is left to write."""


class Json:
    """One array, an object of a translation on each line."""

    def __init__(self, write: Write, is_text: bool) -> None:
        self._write, self._name = write, "source" if is_text else "file"
        self._last: str | None = None
        write("[")

    def add(self, translation: Translation) -> None:
        """Write a translation."""
        self._flush(",")
        self._last = to_json(self._as_dict(translation))

    def close(self) -> None:
        """End the array."""
        self._flush("")
        self._write("]")

    def _flush(self, end: str) -> None:
        if self._last is not None:
            self._write(self._last + end)
        self._last = None

    def _as_dict(self, translation: Translation) -> dict[str, object]:
        if translation.fault is not None:
            return {self._name: translation.source, "error": str(translation.fault)}
        segments = [_segment_as_dict(segment) for segment in translation.segments]
        return {self._name: translation.source, "text": translation.text, "segments": segments}


def _segment_as_dict(segment: Segment) -> dict[str, object]:
    units = [
        {"unit": unit, "start": start, "end": end}
        for unit, (start, end) in zip(segment.units, segment.unit_times, strict=True)
    ]
    of_speech = {} if segment.start is None else {"start": segment.start, "end": segment.end}
    return of_speech | {
        "text": segment.text,
        "score": round(segment.score, 4),
        "is_cut": segment.is_cut,
        "nbest": [{"text": found.text, "score": round(found.score, 4)} for found in segment.nbest],
        "transcript": segment.transcript,
        "units": units,
    }


class SrtFiles:
    """FILE.srt of each recording, beside it or in `out_dir`; of a single recording on stdout without `out_dir`.

    Raises:
        ValueError: two recordings would share a file, or a file is there already.
    """

    def __init__(self, write: Write, files: list[str], out_dir: Path | None) -> None:
        self._write = write
        self._paths: dict[str, Path] = {}
        if len(files) == 1 and out_dir is None:
            return
        for file in files:
            path = (Path(file).parent if out_dir is None else out_dir) / f"{Path(file).stem}.srt"
            if path in self._paths.values():
                raise ValueError(f"two of the recordings would share the subtitles {path}; translate them apart")
            if path.exists():
                raise ValueError(f"{path} exists already; remove it, or name another folder by --out-dir")
            self._paths[file] = path

    def add(self, translation: Translation) -> None:
        """Write the subtitles of a recording."""
        if translation.fault is not None:
            return
        if not self._paths:
            self._write(as_srt(translation))
            return
        path = self._paths[translation.source]
        with whole_file(path) as temporary:
            temporary.write_text(as_srt(translation) + "\n", encoding="utf-8")
        self._write(f"{escape_field(translation.source)}\t{escape_field(str(path))}")

    def close(self) -> None:
        """Nothing is left to write."""


def as_srt(translation: Translation) -> str:
    """Subtitles of a recording, without the last line end; segments without text are left out."""
    blocks: list[str] = []
    for segment in translation.segments:
        if segment.text and segment.start is not None and segment.end is not None:
            times = f"{_srt_time(segment.start)} --> {_srt_time(segment.end)}"
            blocks.append(f"{len(blocks) + 1}\n{times}\n{segment.text}\n")
    return "\n".join(blocks).rstrip("\n")


def _srt_time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02},{milliseconds % 1000:03}"
