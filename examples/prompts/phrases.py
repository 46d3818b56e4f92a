"""The vocabulary of the announcements: phrases.tsv in memory. How phrases combine is grammar.py's business."""

import random
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ["group", "recordings", "en", "fr", "es", "gender"]
PHRASES_PATH = Path(__file__).parent / "phrases.tsv"


@dataclass(frozen=True)
class Phrase:
    """A word or sentence with its recordings and translations.

    Attributes:
        takes: alternative recordings of the same words; each take is the sequence of recording ids to play.
        en: English words.
        fr: French forms: one, or (singular, plural) of a noun phrase, or (masculine, feminine) of a participle.
        es: Spanish forms, likewise.
        gender: of features, French then Spanish, such as "mf"; empty where nothing has to agree with the phrase.
    """

    takes: tuple[tuple[str, ...], ...]
    en: str
    fr: tuple[str, ...]
    es: tuple[str, ...]
    gender: str

    def take(self, rng: random.Random) -> tuple[str, ...]:
        """One of the alternative recordings."""
        return rng.choice(self.takes)


@dataclass(frozen=True)
class Announcement:
    """Recordings to play, ids in order, and their words in three languages."""

    recordings: tuple[str, ...]
    en: str
    fr: str
    es: str


def read_phrases(path: Path) -> dict[str, list[Phrase]]:
    """Phrases by group. In the file `|` separates alternatives, and a space the recordings of one take."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if lines[0].split("\t") != COLUMNS:
        raise ValueError(f"{path}:1: expected the columns {COLUMNS}, found {lines[0].split(chr(9))}")
    groups: dict[str, list[Phrase]] = {}
    for number, line in enumerate(lines[1:], start=2):
        fields = line.split("\t")
        if len(fields) != len(COLUMNS):
            raise ValueError(f"{path}:{number}: expected {len(COLUMNS)} tab-separated fields, found {len(fields)}")
        group, recordings, en, fr, es, gender = fields
        takes = tuple(tuple(take.split()) for take in recordings.split("|"))
        groups.setdefault(group, []).append(Phrase(takes, en, tuple(fr.split("|")), tuple(es.split("|")), gender))
    return groups


def sentence(text: str) -> str:
    """`text` with a capital first letter and a full stop, which is not doubled."""
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


PHRASES = read_phrases(PHRASES_PATH)
PHRASE_RECORDINGS = frozenset(
    recording for group in PHRASES.values() for phrase in group for take in phrase.takes for recording in take
)
