"""LibreOffice's help, English into German, Spanish and French, spoken by SYNTHETIC voices. Texts: MPL-2.0.

--fetch makes --root: the packages libreoffice-help-{en-us,de,es,fr} (texts) and the synthesizers flite and espeak-ng
are downloaded from Debian and unpacked, not installed, and the sentences are spoken, each by one of eight voices.

Sentences are the English paragraphs of 3 to 30 words without program text; pages of the help are the units of the split
into train, dev and test. All else goes into mt.en-LANGUAGE.en and mt.en-LANGUAGE.LANGUAGE, external text for
translation, which holds no text from pages of dev and test. Left out: texts that are not translated (equal in both
languages), and training texts that equal one of dev or test but for case, digits and punctuation.
"""

import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import AudioError, ManifestError, PreprocessError
from ..files.program.options import option
from .releases.debian import fetch_packages, unpacked
from .releases.help_pages import FOLDERS, HelpText, read_help
from .releases.synthesis import PROGRAM_PACKAGES, Spoken, is_speakable, synthesize, voice_of
from .rows.held_out import mark_leaks, split_of
from .rows.row import Row

logger = logging.getLogger(__name__)

SUMMARY = "LibreOffice's help in English, German, Spanish and French (MPL-2.0), synthetic speech"
PACKAGES = tuple(f"libreoffice-help-{folder.lower()}" for folder in FOLDERS.values())
TARGET_LANGUAGES = tuple(language for language in FOLDERS if language != "en")
WORDS = range(3, 31)
DEV_PERCENT, TEST_PERCENT = 3, 5  # of the pages

# Beside what the pages mark as code: operators and brackets, NAME(...), object.method(...).
_PROGRAM_TEXT = re.compile(r"[=<>{}\[\]_\\|*#^~@]|[A-Z]\(|\.\w+\(")
_WORD = re.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True)
class LibreOfficeHelpOptions:
    """Options beside those of all corpora."""

    tgt_lang: tuple[str, ...] = option("languages to translate into", choices=TARGET_LANGUAGES)
    fetch: bool = option(
        "make what --root lacks: download 30 MB from Debian, speak 24 h (12 minutes on one core)", False
    )
    workers: int = option("with --fetch: sentences spoken at a time", 1, metavar="N")

    def __post_init__(self) -> None:
        """Check the languages.

        Raises:
            PreprocessError: there are no help pages in one of them, or it is English.
        """
        unknown = [language for language in self.tgt_lang if language not in TARGET_LANGUAGES]
        if unknown:
            raise PreprocessError(f"--tgt-lang must be of {', '.join(TARGET_LANGUAGES)}, got '{unknown[0]}'")


OPTIONS = LibreOfficeHelpOptions


def fetch(root: Path, options: LibreOfficeHelpOptions) -> None:
    """Make what --root lacks.

    Raises:
        PreprocessError: a package cannot be had, or a sentence not be spoken.
        OutputError: a file cannot be written.
    """
    logger.info("texts: LibreOffice help, licence MPL-2.0; speech: SYNTHETIC, by flite (BSD) and espeak-ng (GPL-3+)")
    fetch_packages(root, PACKAGES, PROGRAM_PACKAGES)
    sentences, _ = choose_sentences(_read_all(root))
    synthesize([spoken(sentence) for sentence in sentences], root / "speech", unpacked(root), options.workers)


def read_splits(root: Path, options: LibreOfficeHelpOptions) -> dict[str, list[Row]]:
    """Rows of train, dev, test, and of external text (mt).

    Raises:
        ManifestError: pages are missing or not in their form, or a language is named twice.
        AudioError: sentences have not been spoken.
    """
    tgt_langs = options.tgt_lang
    if len(set(tgt_langs)) < len(tgt_langs):
        raise ManifestError(f"--tgt-lang must name each language once, got {' '.join(tgt_langs)}")
    sentences, others = choose_sentences(_read_all(root))
    speech = {sentence: spoken(sentence).path(root / "speech") for sentence in sentences}
    num_missing = sum(not path.is_file() for path in speech.values())
    if num_missing:
        raise AudioError(
            f"{num_missing} of {len(speech)} sentences have not been spoken", advice="run again with --fetch"
        )
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


def choose_sentences(segments: Iterable[HelpText]) -> tuple[list[HelpText], list[HelpText]]:
    """Texts to be spoken, and all others but those in pages of dev and test.

    To be spoken are English paragraphs of 3 to 30 words that hold no program text, each text once.
    """
    chosen: dict[str, HelpText] = {}
    others = []
    for segment in segments:
        if _is_sentence(segment) and segment.texts["en"] not in chosen:
            chosen[segment.texts["en"]] = segment
        elif split_of_page(segment.page) == "train":
            others.append(segment)
    return list(chosen.values()), others


def spoken(sentence: HelpText) -> Spoken:
    """A sentence with its voice."""
    return Spoken(sentence.texts["en"], voice_of(sentence.texts["en"]))


@cache
def split_of_page(page: str) -> str:
    """The split of all sentences of a page."""
    return split_of(page, DEV_PERCENT, TEST_PERCENT)


def _read_all(root: Path) -> Iterator[HelpText]:
    return read_help(unpacked(root), tuple(FOLDERS))


def _is_sentence(segment: HelpText) -> bool:
    text = segment.texts["en"]
    has_code = segment.has_code or bool(_PROGRAM_TEXT.search(text))
    is_long_enough = len(text.split()) in WORDS and len(_WORD.findall(text)) >= WORDS.start
    return segment.is_paragraph and is_long_enough and not has_code and is_speakable(text)


def _row(segment: HelpText, tgt_lang: str, audio: Path | None) -> Row:
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
