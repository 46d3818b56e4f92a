"""CoVoST 2: Common Voice clips, read aloud, and translations into or from English. --root holds both:

    clips/*.mp3, validated.tsv                  of Common Voice Corpus 4 in the source language
    covost_v2.SRC_TGT.tsv                       as downloaded (path, translation, split), or
    covost_v2.SRC_TGT.{train,dev,test}.tsv      as its get_covost_splits.py joins the two (path, sentence, translation)

As in CoVoST's script, `train` is its splits train and train_covost, rows of dev_covost and test_covost serve nothing,
and a backslash makes the next character literal. Rows whose translation is empty or says REMOVE, and those not in
validated.tsv, are left out and counted.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..errors import ManifestError
from ..files.manifest import Utterance, parse_row
from ..files.program.options import option
from ..files.reading.obstacle import is_there
from ..files.reading.table import TableRow, read_table
from ..files.text import normalise_text
from .rows.row import Row, row_or_fault, rows_or_fault

SUMMARY = "CoVoST 2 over Common Voice: 21 languages to English, English to 15"
SPLITS = {"train": "train", "train_covost": "train", "dev": "dev", "test": "test"}  # by the column `split`
UNUSED_SPLITS = ("dev_covost", "test_covost")


@dataclass(frozen=True)
class CovostOptions:
    """Options beside those of all corpora."""

    src_lang: str = option("language of the clips, such as fr or sv-SE", metavar="SRC")
    tgt_lang: tuple[str, ...] = option("language or languages to translate into, such as en", metavar="TGT")


OPTIONS = CovostOptions


class LanguagePair(NamedTuple):
    """Languages of clips and of translations."""

    source: str
    target: str


def read_splits(root: Path, options: CovostOptions) -> dict[str, list[Utterance]]:
    """Rows of every split.

    Raises:
        ManifestError: a file is missing, or is not in its form.
    """
    clips = Path(os.path.abspath(root / "clips"))
    if not clips.is_dir():
        raise ManifestError(
            "no such folder",
            place=clips,
            advice="--root is Common Voice's folder of the source language",
        )
    splits: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    for tgt_lang in options.tgt_lang:
        pair = LanguagePair(options.src_lang, tgt_lang)
        for split, rows in read_translations(root, clips, pair).items():
            splits[split] += rows
    return {split: rows for split, rows in splits.items() if rows}


def read_translations(root: Path, clips: Path, pair: LanguagePair) -> dict[str, list[Utterance]]:
    """Rows of one pair of languages by split, from the joined files if there are any.

    Raises:
        ManifestError: there are no files of this pair, or that of all splits is not in its form.
    """
    stem = f"covost_v2.{pair.source}_{pair.target}"
    joined = {split: root / f"{stem}.{split}.tsv" for split in ("train", "dev", "test")}
    joined = {split: path for split, path in joined.items() if is_there(path)}
    if joined:
        return {split: rows_or_fault(partial(_read_joined, path, clips, pair), path) for split, path in joined.items()}
    if not is_there(root / f"{stem}.tsv"):
        found = ", ".join(sorted(path.name for path in root.glob("covost_v2.*.tsv"))) or "no covost_v2.*.tsv"
        raise ManifestError(f"expected {stem}.tsv or {stem}.train.tsv and so on in it, found {found}", place=root)
    return _join(root / f"{stem}.tsv", root / "validated.tsv", clips, pair)


def make_row(row: TableRow, clip: TableRow | None, clips: Path, pair: LanguagePair) -> Row:
    """A row of translations and that of its clip, which may be the same; None: it is not in validated.tsv.

    Raises:
        ManifestError: one of them is at fault.
    """
    path = row.fields["path"]
    translation = _clean(row.fields["translation"])
    sentence = {} if clip is None else clip.fields
    unusable = ""
    if clip is None:
        unusable = "not in validated.tsv"
    elif not translation:
        unusable = "no translation"
    elif "REMOVE" in translation.split():
        unusable = "marked REMOVE"
    utterance = parse_row(
        {
            "id": _id_of(row, pair),
            "audio": path,
            "src_lang": pair.source,
            "tgt_lang": pair.target,
            "src_text": _clean(sentence.get("sentence", "")),
            "tgt_text": translation,
            "speaker": sentence.get("client_id", ""),
        },
        clips,
        row.location,
    )
    return Row(**vars(utterance), location=row.location, unusable=unusable)


def _read_joined(path: Path, clips: Path, pair: LanguagePair) -> Iterator[Row]:
    for row in read_table(path, ("path", "sentence", "translation", "client_id"), exact=False, escapes=True):
        yield row_or_fault(partial(make_row, row, row, clips, pair), row.location, _id_of(row, pair))


def _join(translations: Path, validated: Path, clips: Path, pair: LanguagePair) -> dict[str, list[Utterance]]:
    rows = list(read_table(translations, ("path", "translation", "split"), exact=False, escapes=True))
    wanted = {row.known.get("path") for row in rows}
    # Of Common Voice's many other clips nothing is kept, and a row at fault among them is none of ours.
    of_clips = read_table(validated, ("path", "sentence", "client_id"), exact=False, escapes=True)
    known = {path: clip for clip in of_clips if (path := clip.known.get("path")) in wanted}
    splits: dict[str, list[Utterance]] = {}
    for row in rows:
        split = row.known.get("split", "").strip()
        if split in UNUSED_SPLITS:
            continue
        make = partial(_make_row_of_split, row, known.get(row.known.get("path", "")), clips, pair)
        # A row that does not say its split counts as one of train.
        splits.setdefault(SPLITS.get(split, "train"), []).append(row_or_fault(make, row.location, _id_of(row, pair)))
    return splits


def _make_row_of_split(row: TableRow, clip: TableRow | None, clips: Path, pair: LanguagePair) -> Row:
    split = row.fields["split"]
    if split.strip() not in SPLITS:
        raise ManifestError(f"the split must be one of {', '.join((*SPLITS, *UNUSED_SPLITS))}, found {split!r}")
    return make_row(row, clip, clips, pair)


def _id_of(row: TableRow, pair: LanguagePair) -> str:
    return f"{Path(row.known.get('path', '')).stem}-{pair.target}"


def _clean(text: str) -> str:
    return normalise_text(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL))
