"""CoVoST 2: Common Voice clips, read aloud, and translations into or from English. --root holds both:

    clips/*.mp3, validated.tsv                  of Common Voice Corpus 4 in the source language
    covost_v2.SRC_TGT.tsv                       as downloaded (path, translation, split), or
    covost_v2.SRC_TGT.{train,dev,test}.tsv      as its get_covost_splits.py joins the two (path, sentence, translation)

As in CoVoST's script, `train` is its splits train and train_covost, and a backslash makes the next character literal.
Rows whose translation is empty or says REMOVE, and those not in validated.tsv, are left out and counted.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import ManifestError
from ..files.manifest import Utterance, parse_row, read_table
from ..files.options import option
from ..files.text import normalise_text
from .rows.row import Row

SUMMARY = "CoVoST 2 over Common Voice: 21 languages to English, English to 15"
SPLITS = {"train": "train", "train_covost": "train", "dev": "dev", "test": "test"}  # by the column `split`

Located = tuple[str, str, dict[str, str]]  # split, FILE:LINE, path and translation, and sentence and client_id if known


@dataclass(frozen=True)
class CovostOptions:
    """Options beside those of all corpora."""

    src_lang: str = option("language of the clips, such as fr or sv-SE", metavar="SRC")
    tgt_lang: tuple[str, ...] = option("language or languages to translate into, such as en", metavar="TGT")


OPTIONS = CovostOptions


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
    splits: dict[str, list[Utterance]] = {}
    for tgt_lang in options.tgt_lang:
        for split, location, fields in read_translations(root, options.src_lang, tgt_lang):
            row = make_row(fields, clips, options.src_lang, tgt_lang, location)
            splits.setdefault(split, []).append(row)
    return {split: splits[split] for split in ("train", "dev", "test") if split in splits}


def read_translations(root: Path, src_lang: str, tgt_lang: str) -> Iterator[Located]:
    """Yield the rows of one pair of languages, from the joined files if there are any.

    Raises:
        ManifestError: there are no files of this pair, or one is not in its form.
    """
    stem = f"covost_v2.{src_lang}_{tgt_lang}"
    joined = {split: root / f"{stem}.{split}.tsv" for split in ("train", "dev", "test")}
    joined = {split: path for split, path in joined.items() if path.is_file()}
    if not joined and not (root / f"{stem}.tsv").is_file():
        found = ", ".join(sorted(path.name for path in root.glob("covost_v2.*.tsv"))) or "no covost_v2.*.tsv"
        raise ManifestError(f"expected {stem}.tsv or {stem}.train.tsv and so on in it, found {found}", place=root)
    for split, path in joined.items():
        for location, fields in read_table(path, ("path", "sentence", "translation", "client_id"), exact=False):
            yield split, location, fields
    if not joined:
        yield from _join(root / f"{stem}.tsv", root / "validated.tsv")


def make_row(fields: dict[str, str], clips: Path, src_lang: str, tgt_lang: str, location: str) -> Row:
    """A row of path, sentence, translation and client_id; without a sentence, one that is not in validated.tsv."""
    translation = _clean(fields["translation"])
    unusable = ""
    if "sentence" not in fields:
        unusable = "not in validated.tsv"
    elif not translation:
        unusable = "no translation"
    elif "REMOVE" in translation.split():
        unusable = "marked REMOVE"
    utterance = parse_row(
        {
            "id": f"{Path(fields['path']).stem}-{tgt_lang}",
            "audio": fields["path"],
            "src_lang": src_lang,
            "tgt_lang": tgt_lang,
            "src_text": _clean(fields.get("sentence", "")),
            "tgt_text": translation,
            "speaker": fields.get("client_id", ""),
        },
        clips,
        location,
    )
    return Row(**vars(utterance), location=location, unusable=unusable)


def _join(translations: Path, validated: Path) -> Iterator[Located]:
    known = {
        fields["path"]: fields for _, fields in read_table(validated, ("path", "sentence", "client_id"), exact=False)
    }
    for location, fields in read_table(translations, ("path", "translation", "split"), exact=False):
        if fields["split"] in SPLITS:
            common_voice = known.get(fields["path"], {})
            sentence = {key: common_voice[key] for key in ("sentence", "client_id") if key in common_voice}
            yield SPLITS[fields["split"]], location, fields | sentence


def _clean(text: str) -> str:
    return normalise_text(re.sub(r"\\(.)", r"\1", text))
