"""Fish Fillets, a game spoken by human actors: Czech or Dutch into English, German and more. Licence: GPL-2.

--fetch makes --root: the packages fillets-ng-data, -cs and -nl are downloaded from Debian and unpacked, not installed.

    ROOT/unpacked/usr/share/games/fillets-ng/script/LEVEL/dialogs_XX.lua, sound/LEVEL/XX/ID.ogg

The game's levels are the units of the split into train, dev and test, which is the same for all languages. Dialogues of
training levels that are not spoken go into mt.SRC-TGT.SRC and mt.SRC-TGT.TGT, external text for translation. Left out:
texts with a parameter (`%1 hours`), of which nobody knows what was spoken, and texts of train that equal one of dev or
test but for case, digits and punctuation.
"""

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from ..errors import AudioError, ManifestError
from ..files.program.options import option
from ..speech.audio import open_audio
from .releases.debian import fetch_packages, unpacked
from .releases.lua_dialogs import Dialogue, read_dialogues
from .rows.held_out import mark_leaks, split_of
from .rows.row import Row

logger = logging.getLogger(__name__)

SUMMARY = "Fish Fillets, human actors: Czech and Dutch to English, German and more (GPL-2)"
PACKAGES = ("fillets-ng-data", "fillets-ng-data-cs", "fillets-ng-data-nl")
GAME = Path("usr/share/games/fillets-ng")
SOURCE_LANGUAGES = ("cs", "nl")
TARGET_LANGUAGES = ("bg", "cs", "de", "en", "es", "fr", "it", "nl", "pl", "ru", "sv")
DEV_PERCENT, TEST_PERCENT = 7, 10  # of the levels

_PARAMETER = re.compile(r"%\d")


@dataclass(frozen=True)
class FishFilletsOptions:
    """Options beside those of all corpora."""

    src_lang: tuple[str, ...] = option("languages of the actors", choices=SOURCE_LANGUAGES)
    tgt_lang: tuple[str, ...] = option("languages to translate into", choices=TARGET_LANGUAGES)
    fetch: bool = option("make --root if it is not there: 142 MB from Debian", False)


OPTIONS = FishFilletsOptions


def fetch(root: Path, options: FishFilletsOptions) -> None:
    """Make --root if it is not there.

    Raises:
        PreprocessError: a package cannot be had.
        OutputError: a file cannot be written.
    """
    logger.info("Fish Fillets NG, its dialogues and its actors' recordings: licence GPL-2")
    fetch_packages(root, PACKAGES)


def read_splits(root: Path, options: FishFilletsOptions) -> dict[str, list[Row]]:
    """Rows of train, dev, test, and of external text (mt).

    Raises:
        ManifestError: a file is missing or not in its form, or no two of the languages are different.
    """
    pairs = list(product(dict.fromkeys(options.src_lang), dict.fromkeys(options.tgt_lang)))
    same = [src_lang for src_lang, tgt_lang in pairs if src_lang == tgt_lang]
    if same:
        raise ManifestError(f"--src-lang and --tgt-lang must differ, both have {same[0]}")
    game = unpacked(root) / GAME
    splits: dict[str, list[Row]] = {split: [] for split in ("train", "dev", "test", "mt")}
    for src_lang, tgt_lang in pairs:
        sounds = find_sounds(game / "sound", src_lang)
        for level, row in _read_pair(game / "script", src_lang, tgt_lang, sounds):
            split = split_of(level, DEV_PERCENT, TEST_PERCENT)
            if row.audio is not None:
                splits[split].append(row)
            elif split == "train":
                splits["mt"].append(row)
    held_out = splits["dev"] + splits["test"]
    return {split: mark_leaks(rows, held_out) if split in ("train", "mt") else rows for split, rows in splits.items()}


def find_sounds(folder: Path, language: str) -> dict[tuple[str, str], Path]:
    """Sounds of a language by (level, id), but for those that hold no sample; the Dutch release has two.

    Raises:
        ManifestError: there are none.
    """
    paths = sorted(folder.glob(f"*/{language}/*.ogg"))
    if not paths:
        raise ManifestError(f"expected LEVEL/{language}/ID.ogg in it, found none", place=folder)
    sounds = {}
    for path in paths:
        with contextlib.suppress(AudioError), open_audio(path) as file:  # a broken file is named with its row
            if not len(file.read_samples(0, 1)):
                continue
        sounds[path.parts[-3], path.stem] = path
    return sounds


def _read_pair(
    scripts: Path, src_lang: str, tgt_lang: str, sounds: dict[tuple[str, str], Path]
) -> Iterator[tuple[str, Row]]:
    """Yield level and row of each dialogue that has a text without parameter in both languages; no audio: no sound."""
    targets = read_dialogues(scripts, tgt_lang)
    for key, dialogue in read_dialogues(scripts, src_lang).items():
        target = targets.get(key)
        tgt_text = target and (target.english if tgt_lang == "en" else target.text)
        if dialogue.text and tgt_text and not _PARAMETER.search(dialogue.text + tgt_text):
            yield dialogue.level, _row(dialogue, src_lang, tgt_lang, tgt_text, sounds.get(key))


def _row(dialogue: Dialogue, src_lang: str, tgt_lang: str, tgt_text: str, sound: Path | None) -> Row:
    return Row(
        id=f"{dialogue.level}/{dialogue.id}-{src_lang}-{tgt_lang}",
        audio=None if sound is None else Path(os.path.abspath(sound)),
        offset=0.0,
        duration=None,
        src_lang=src_lang,
        tgt_lang=tgt_lang,
        src_text=dialogue.text,
        tgt_text=tgt_text,
        speaker=f"{src_lang}-{dialogue.speaker}",
        location=dialogue.location,
    )
