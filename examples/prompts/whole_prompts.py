"""The second test set: whole recorded prompts, none of whose recordings is in an announcement.

Their translations are those of the sound packages, with the packages' wording and faults; only the form is that of
the announcements: a capital and a full stop, no "...", numbers in words.
"""

import csv
import re
from pathlib import Path

from num2words import num2words
from phrases import PHRASE_RECORDINGS, Announcement, sentence
from sound import RECORDINGS, spoken_seconds
from splits import sentence_key, target_keys

FEWEST_WORDS = 3
SECONDS = (1.0, 6.0)
MOST_PROMPTS = 100
DRIVER_NAMES = "spy-"  # begins the ids of recordings such as "M I S D N"


def read_texts(path: Path = RECORDINGS / "texts.tsv") -> list[dict[str, str]]:
    """Rows of texts.tsv: id and the packages' texts; a text that a package lacks is empty."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def as_sentence(text: str, language: str) -> str:
    """A package's text in the form of the announcements."""
    text = re.sub(r"\b\d+\b", lambda match: num2words(int(match[0]), lang=language), text)
    text = " ".join(text.replace('"', " ").split()).strip(" .:")
    return text[:1].upper() + text[1:] if text.endswith(("?", "!")) else sentence(text)


def whole_prompts(training: list[Announcement]) -> list[Announcement]:
    """The shortest of the prompts that qualify, by id; `training` are all announcements, with audio and without.

    A prompt qualifies with three English words, 1 to 6 s, French and Spanish texts, no "..." in the English as
    unfinished sentences have, and neither its recording nor its translations in training. Of prompts with the same
    English words, the first is taken.
    """
    trained_keys = target_keys(training)
    trained_recordings = {recording for announcement in training for recording in announcement.recordings}
    prompts: dict[str, Announcement] = {}
    for row in read_texts():
        recordings = (row["id"],)
        if row["id"] in PHRASE_RECORDINGS | trained_recordings or row["id"].startswith(DRIVER_NAMES):
            continue
        if "..." in row["en"] or not (row["fr"] and row["es"]):
            continue
        prompt = Announcement(recordings, *(as_sentence(row[language], language) for language in ("en", "fr", "es")))
        fits = len(prompt.en.split()) >= FEWEST_WORDS and SECONDS[0] <= spoken_seconds(recordings) <= SECONDS[1]
        if fits and not target_keys([prompt]) & trained_keys:
            prompts.setdefault(sentence_key(prompt.en), prompt)
    shortest = sorted(prompts.values(), key=lambda prompt: spoken_seconds(prompt.recordings))[:MOST_PROMPTS]
    return sorted(shortest, key=lambda prompt: prompt.recordings)
