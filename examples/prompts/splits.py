"""Random draws of the announcements of each split.

No target sentence of dev or test is in training: a hash of the English sentence says which split a sentence may appear
in, and since different English sentences can share a translation, training also leaves out every sentence whose French
or Spanish is in dev or test.
"""

import hashlib
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from grammar import KINDS
from phrases import Announcement
from sound import spoken_seconds

TEST_SHARE, DEV_SHARE = 0.20, 0.12  # of the different sentences of a kind; large kinds do not use all of theirs
SHORTEST_SECONDS = 1.0  # of speech, pauses not counted
MOST_MISSES = 2000  # draws in a row without a usable sentence, after which a kind counts as having no more

Rows = list[tuple[str, Announcement]]  # with the kind of each announcement


class ComposeError(Exception):
    """The announcements asked for cannot be made."""


@dataclass(frozen=True)
class Sizes:
    """Rows of each split; `text` rows are training without audio."""

    train: int
    text: int
    dev: int
    test: int


def sentence_key(text: str) -> str:
    """`text` in lower case without punctuation: what makes two sentences the same."""
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def target_keys(announcements: Iterable[Announcement]) -> set[tuple[str, str]]:
    """Identities of all French and all Spanish sentences."""
    return {key for a in announcements for key in (("fr", sentence_key(a.fr)), ("es", sentence_key(a.es)))}


def draw_splits(sizes: Sizes, longest_seconds: float, seed: int) -> dict[str, Rows]:
    """Rows of "train", "text", "dev" and "test", each in random order.

    Dev and test have every sentence once and train has the same shares of the kinds as they; its sentences may
    repeat, as takes of the same sentence. Text has only sentences that train has not, each once.

    Raises:
        ComposeError: a kind has too few sentences for the sizes.
    """
    drawing = _Drawing(longest_seconds, seed)
    held_out: set[tuple[str, str]] = set()
    test = drawing.by_shares("test", sizes.test, held_out, once=True)
    dev = drawing.by_shares("dev", sizes.dev, held_out, once=True)
    train = drawing.by_shares("train", sizes.train, held_out, once=False)
    text = drawing.as_available(sizes.text, held_out | target_keys(announcement for _, announcement in train))
    splits = {"train": train, "text": text, "dev": dev, "test": test}
    for rows in splits.values():
        drawing.rng.shuffle(rows)
    return splits


class _Drawing:
    """Random draws of announcements of SHORTEST_SECONDS to `longest_seconds`, pauses not counted."""

    def __init__(self, longest_seconds: float, seed: int) -> None:
        self.longest_seconds = longest_seconds
        self.seed = seed
        self.rng = random.Random(seed)

    def by_shares(self, split: str, size: int, barred: set[tuple[str, str]], once: bool) -> Rows:
        """`size` rows, each kind with its share; with `once` the sentences drawn are added to `barred`."""
        rows: Rows = []
        for kind, kind_size in share_out(size).items():
            drawn = 0
            for announcement in islice(self._candidates(kind, split, barred), kind_size):
                rows.append((kind, announcement))
                drawn += 1
                if once:
                    barred |= target_keys([announcement])
            if drawn < kind_size:
                raise ComposeError(
                    f"{split} needs {kind_size} of '{kind}', of {SHORTEST_SECONDS} to {self.longest_seconds} s; "
                    f"only {drawn} different ones exist: ask for a smaller {split} or allow longer ones"
                )
        return rows

    def as_available(self, size: int, barred: set[tuple[str, str]]) -> Rows:
        """`size` rows of training sentences outside `barred`, every one once; a kind that has no more drops out."""
        sources = {kind: self._candidates(kind, "train", barred) for kind in KINDS}
        rows: Rows = []
        while len(rows) < size:
            if not sources:
                raise ComposeError(f"{size} announcements without audio wanted, only {len(rows)} different ones exist")
            kind = self.rng.choices(list(sources), [KINDS[kind][1] for kind in sources])[0]
            announcement = next(sources[kind], None)
            if announcement is None:
                del sources[kind]
                continue
            barred |= target_keys([announcement])
            rows.append((kind, announcement))
        return rows

    def _candidates(self, kind: str, split: str, barred: set[tuple[str, str]]) -> Iterator[Announcement]:
        draw, _ = KINDS[kind]
        misses = 0
        while misses < MOST_MISSES:
            announcement = draw(self.rng)
            if (
                split_of(announcement.en, self.seed) != split
                or not SHORTEST_SECONDS <= spoken_seconds(announcement.recordings) <= self.longest_seconds
                or target_keys([announcement]) & barred
            ):
                misses += 1
                continue
            misses = 0
            yield announcement


def split_of(en: str, seed: int) -> str:
    """The one split that the sentence may appear in."""
    digest = hashlib.sha256(f"{seed} {sentence_key(en)}".encode()).digest()
    position = int.from_bytes(digest[:8]) / 2**64
    if position < TEST_SHARE:
        return "test"
    return "dev" if position < TEST_SHARE + DEV_SHARE else "train"


def share_out(size: int) -> dict[str, int]:
    """`size` rows over the kinds by their shares, rounded so that they add up."""
    counts: dict[str, int] = {}
    share_so_far = 0.0
    for kind, (_, share) in KINDS.items():
        share_so_far += share
        counts[kind] = round(size * share_so_far) - sum(counts.values())
    return counts
