"""Splitting a corpus that has no split of its own: by groups, and without sentences of dev or test in train."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

from .row import Row

_NO_LETTERS = re.compile(r"[\W\d_]+")


def split_of(group: str, dev_percent: int, test_percent: int) -> str:
    """The split, train, dev or test, of all sentences of a group, always the same: a hash of the group's name says."""
    number = int(hashlib.sha256(group.encode()).hexdigest(), 16) % 100
    if number < dev_percent:
        return "dev"
    return "test" if number < dev_percent + test_percent else "train"


def letters_of(text: str) -> str:
    """A text without case, digits, punctuation and runs of white space."""
    return _NO_LETTERS.sub(" ", text.casefold()).strip()


def mark_leaks(rows: Iterable[Row], held_out: Iterable[Row]) -> list[Row]:
    """Mark rows as unusable whose source or target text is in `held_out`. Texts are compared by `letters_of`.

    A text without letters equals none.
    """
    known = {"source": set[str](), "target": set[str]()}
    for row in held_out:
        known["source"].add(letters_of(row.src_text))
        known["target"].add(letters_of(row.tgt_text))
    for texts in known.values():
        texts.discard("")
    return [_mark(row, known) for row in rows]


def _mark(row: Row, known: dict[str, set[str]]) -> Row:
    sides = {"source": row.src_text, "target": row.tgt_text}
    is_known = any(letters_of(text) in known[side] for side, text in sides.items())
    return replace(row, unusable="equals a text of dev or test") if is_known and not row.unusable else row
