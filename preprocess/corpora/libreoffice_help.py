"""LibreOffice's help, English into German, Spanish and French, spoken by SYNTHETIC voices. Texts: MPL-2.0.

--fetch makes --root: the packages libreoffice-help-{en-us,de,es,fr} (texts) and the synthesizers flite and espeak-ng
are downloaded from Debian and unpacked, not installed, and the sentences are spoken, each by one of eight voices.

Sentences are the English paragraphs of 3 to 30 words without program text; pages of the help are the units of the split
into train, dev and test. All else goes into mt.en-LANGUAGE.en and mt.en-LANGUAGE.LANGUAGE, external text for
translation, which holds no text from pages of dev and test. Left out: texts that are not translated (equal in both
languages), and training texts that equal one of dev or test but for case, digits and punctuation.
"""

import argparse
import logging
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from ..errors import AudioError, ManifestError
from .debian import fetch_packages, unpacked
from .held_out import mark_leaks, split_of
from .help_pages import FOLDERS, Segment, read_segments
from .rows import Row
from .synthesis import PROGRAM_PACKAGES, Spoken, is_speakable, synthesize, voice_of

logger = logging.getLogger(__name__)

SUMMARY = "LibreOffice's help in English, German, Spanish and French (MPL-2.0), synthetic speech"
PACKAGES = tuple(f"libreoffice-help-{folder.lower()}" for folder in FOLDERS.values())
WORDS = range(3, 31)
DEV_PERCENT, TEST_PERCENT = 3, 5  # of the pages

# Beside what the pages mark as code: operators and brackets, NAME(...), object.method(...).
_PROGRAM_TEXT = re.compile(r"[=<>{}\[\]_\\|*#^~@]|[A-Z]\(|\.\w+\(")
_WORD = re.compile(r"[A-Za-z]{2,}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options beside those of all corpora."""
    languages = [language for language in FOLDERS if language != "en"]
    parser.add_argument("--tgt-lang", nargs="+", choices=languages, required=True, help="languages to translate into")
    parser.add_argument(
        "--fetch",
        action="store_true",
        help="make what --root lacks: download 30 MB from Debian, speak 24 h (12 minutes on one core)",
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="with --fetch: sentences spoken at a time; default 1"
    )


def fetch(arguments: argparse.Namespace) -> None:
    """Make what --root lacks.

    Raises:
        PreprocessError: a package cannot be had, or a sentence not be spoken.
        OutputError: a file cannot be written.
    """
    logger.info("texts: LibreOffice help, licence MPL-2.0; speech: SYNTHETIC, by flite (BSD) and espeak-ng (GPL-3+)")
    root: Path = arguments.root
    fetch_packages(root, PACKAGES, PROGRAM_PACKAGES)
    sentences, _ = choose_sentences(_read_all(root))
    synthesize([spoken(sentence) for sentence in sentences], root / "speech", unpacked(root), arguments.workers)


def read_splits(arguments: argparse.Namespace) -> dict[str, list[Row]]:
    """Rows of train, dev, test, and of external text (mt).

    Raises:
        ManifestError: pages are missing or not in their form, or a language is named twice.
        AudioError: sentences have not been spoken.
    """
    tgt_langs: list[str] = arguments.tgt_lang
    if len(set(tgt_langs)) < len(tgt_langs):
        raise ManifestError(f"--tgt-lang must name each language once, got {' '.join(tgt_langs)}")
    sentences, others = choose_sentences(_read_all(arguments.root))
    speech = {sentence: spoken(sentence).path(arguments.root / "speech") for sentence in sentences}
    num_missing = sum(not path.is_file() for path in speech.values())
    if num_missing:
        raise AudioError(f"{num_missing} of {len(speech)} sentences have not been spoken; run again with --fetch")
    splits: dict[str, list[Row]] = {split: [] for split in ("train", "dev", "test", "mt")}
    for tgt_lang in tgt_langs:
        for sentence, path in speech.items():
            splits[split_of_page(sentence.page)].append(_row(sentence, tgt_lang, path))
        pairs = {(segment.texts["en"], segment.texts[tgt_lang]): segment for segment in reversed(others)}
        splits["mt"] += [_row(segment, tgt_lang, None) for segment in reversed(pairs.values())]
    for split in ("dev", "test"):  # never filtered: their rows are those that are translated
        splits[split] = [row for row in splits[split] if not row.unusable]
    held_out = splits["dev"] + splits["test"]
    return {split: mark_leaks(rows, held_out) if split in ("train", "mt") else rows for split, rows in splits.items()}


def choose_sentences(segments: Iterable[Segment]) -> tuple[list[Segment], list[Segment]]:
    """Segments to be spoken, and all others but those in pages of dev and test.

    To be spoken are English paragraphs of 3 to 30 words that hold no program text, each text once.
    """
    chosen: dict[str, Segment] = {}
    others = []
    for segment in segments:
        if _is_sentence(segment) and segment.texts["en"] not in chosen:
            chosen[segment.texts["en"]] = segment
        elif split_of_page(segment.page) == "train":
            others.append(segment)
    return list(chosen.values()), others


def spoken(sentence: Segment) -> Spoken:
    """A sentence with its voice."""
    return Spoken(sentence.texts["en"], voice_of(sentence.texts["en"]))


@cache
def split_of_page(page: str) -> str:
    """The split of all sentences of a page."""
    return split_of(page, DEV_PERCENT, TEST_PERCENT)


def _read_all(root: Path) -> Iterator[Segment]:
    return read_segments(unpacked(root), tuple(FOLDERS))


def _is_sentence(segment: Segment) -> bool:
    text = segment.texts["en"]
    has_code = segment.has_code or bool(_PROGRAM_TEXT.search(text))
    is_long_enough = len(text.split()) in WORDS and len(_WORD.findall(text)) >= WORDS.start
    return segment.is_paragraph and is_long_enough and not has_code and is_speakable(text)


def _row(segment: Segment, tgt_lang: str, audio: Path | None) -> Row:
    name = f"{segment.page}#{segment.name}"
    source, target = segment.texts["en"], segment.texts[tgt_lang]
    return Row(
        id=f"{name}-{tgt_lang}",
        audio=None if audio is None else Path(os.path.abspath(audio)),
        offset=0.0,
        duration=None,
        src_lang="en",
        tgt_lang=tgt_lang,
        src_text=source,
        tgt_text=target,
        speaker="" if audio is None else voice_of(source).speaker,
        location=name,
        unusable="not translated" if source == target else "",
    )
