"""Talks in one file each, segments by offset and duration, one line of text a segment: MuST-C and mTEDx.

SRC-TGT/data/SPLIT/txt/SPLIT.yaml     segments
SRC-TGT/data/SPLIT/txt/SPLIT.SRC      line n: transcript of segment n; empty: not known
SRC-TGT/data/SPLIT/txt/SPLIT.TGT      line n: translation of segment n; empty: the row is `no translation`
SRC-TGT/data/SPLIT/wav/               talks; the segment's name, or that with .flac
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import ManifestError
from ...files.manifest import Utterance, parse_row
from ...files.reading.lines import Line, read_lines
from ...files.reading.obstacle import is_there
from ...files.text import normalise_text
from ..rows.row import Row, row_or_fault, rows_or_fault
from .segments import TalkSegment, read_talk_segments

SPLIT_NAMES = {"train": "train", "dev": "dev", "valid": "dev"}  # all others are test sets


def read_pairs(root: Path, src_lang: str, tgt_langs: Sequence[str]) -> dict[str, list[Utterance]]:
    """Rows of every split, of one pair of languages after the other.

    An id is `TALK_NUMBER-TGT`, the number that of the segment in its talk, in the order of SPLIT.yaml, from 0.

    Args:
        root: folder of the folders SRC-TGT, or one of these.
        src_lang: language of the talks.
        tgt_langs: languages of the translations, each once.

    Raises:
        ManifestError: there is no such folder, or a language is named twice.
    """
    if len(set(tgt_langs)) < len(tgt_langs):
        raise ManifestError(f"--tgt-lang must name each language once, got {' '.join(tgt_langs)}")
    splits: dict[str, list[Utterance]] = {}
    for tgt_lang in tgt_langs:
        for folder in find_splits(root, src_lang, tgt_lang):
            rows = rows_or_fault(partial(read_split, folder, src_lang, tgt_lang), folder)
            splits.setdefault(_manifest_name(folder.name), []).extend(rows)
    order = {"train": 0, "dev": 1}
    return {name: splits[name] for name in sorted(splits, key=lambda name: (order.get(name, 2), name))}


def find_splits(root: Path, src_lang: str, tgt_lang: str) -> list[Path]:
    """Folders data/SPLIT of a pair of languages.

    Raises:
        ManifestError: there is none.
    """
    pair = f"{src_lang}-{tgt_lang}"
    data = root / "data" if (root / "data").is_dir() else root / pair / "data"
    splits = sorted(
        folder
        for folder in data.glob("*")
        if is_there(folder / "txt" / f"{folder.name}.yaml") or not folder.exists()  # a link to nothing
    )
    if not splits:
        found = ", ".join(sorted(path.name for path in root.glob("*"))[:10]) or "nothing"
        raise ManifestError(
            f"expected {pair}/data/SPLIT/txt/SPLIT.yaml or data/SPLIT/txt/SPLIT.yaml in it, found {found}",
            place=root,
            advice=f"--root is the folder that holds {pair}, or {pair} itself",
        )
    return splits


def read_split(folder: Path, src_lang: str, tgt_lang: str) -> Iterator[Row]:
    """Yield the rows of data/SPLIT.

    Raises:
        ManifestError: a file is missing or not in its form, or the line counts differ.
    """
    stem = folder / "txt" / folder.name
    segments = list(read_talk_segments(Path(f"{stem}.yaml")))
    if not segments:
        raise ManifestError("is empty", place=f"{stem}.yaml", advice="expected a list of segments")
    transcripts, translations = (_read_lines(Path(f"{stem}.{lang}"), segments) for lang in (src_lang, tgt_lang))
    wav_folder = Path(os.path.abspath(folder / "wav"))
    audio = {name: _find_audio(wav_folder, name) for name in {segment.wav for segment in segments}}
    numbers: Counter[str] = Counter()
    for segment, transcript, translation in zip(segments, transcripts, translations, strict=True):
        talk = Path(segment.wav).stem
        name = f"{talk}_{numbers[talk]}-{tgt_lang}"
        numbers[talk] += 1
        row = _SplitRow(name, segment, transcript, translation)
        yield row_or_fault(partial(row.read, audio[segment.wav], src_lang, tgt_lang), segment.location, name)


@dataclass(frozen=True)
class _SplitRow:
    id: str
    segment: TalkSegment
    transcript: Line
    translation: Line

    def read(self, audio: Path, src_lang: str, tgt_lang: str) -> Row:
        """The row, as far as segment and texts can be read."""
        self.segment.check()
        translation = normalise_text(self.translation.text)
        fields = {
            "id": self.id,
            "audio": str(audio),
            "offset": self.segment.offset,
            "duration": self.segment.duration,
            "src_lang": src_lang,
            "tgt_lang": tgt_lang,
            "src_text": normalise_text(self.transcript.text),
            "tgt_text": translation,
            "speaker": self.segment.speaker,
        }
        utterance = parse_row(fields, audio.parent, self.segment.location)
        unusable = "" if translation else "no translation"
        return Row(**vars(utterance), location=self.segment.location, unusable=unusable)


def _read_lines(path: Path, segments: Sequence[TalkSegment]) -> list[Line]:
    lines = list(read_lines(path))
    if len(lines) != len(segments):
        yaml_path = path.with_suffix(".yaml")
        fault = next((str(segment.fault) for segment in segments if segment.fault is not None), "")
        raise ManifestError(
            f"{path} has {len(lines)} lines, {yaml_path} has {len(segments)} segments: line n must be the text of "
            "segment n" + (f"; the first segment at fault is {fault}" if fault else ""),
            advice="unpack the release again, or mend the file at fault",
        )
    return lines


def _manifest_name(split: str) -> str:
    return SPLIT_NAMES.get(split) or (split if split.startswith("test") else f"test_{split}")


def _find_audio(folder: Path, name: str) -> Path:
    """mTEDx names .wav where it has .flac."""
    path = folder / name
    flac = folder / f"{path.stem}.flac"
    return flac if not os.path.isfile(path) and os.path.isfile(flac) else path
