"""Texts with characters that the pieces have no place for: they become spaces or <unk>, or are lost."""

from collections.abc import Iterator

from ....files.escapes import RESERVED_NAMES
from .warning import DataWarning, Inspected, NotChecked, warn_of_some

KIND = "altered_text"


def check_altered_text(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Tell of the examples that `binarize` has found."""
    found = [(measures, measures.stream.counts.altered) for measures in inspected.streams]
    yield from warn_of_some(
        KIND,
        found,
        f"Examples with {RESERVED_NAMES}, which SentencePiece keeps for itself and these pieces have no place for",
        "A model never sees nor says them, though references hold them. Replace them in the texts; with pieces of "
        "one's own they are kept (`hmst preprocess subwords` makes them).",
        lambda measures, index: "",
    )
