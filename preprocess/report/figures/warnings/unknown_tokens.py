"""Examples with <unk>: characters that the subwords were not trained on."""

from collections.abc import Iterator

import numpy as np

from ..measures import Measures
from .warning import DataWarning, Inspected, NotChecked, warn_of_examples

KIND = "unknown_tokens"


def check_unknown_tokens(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Find the examples that have <unk> on any side."""
    found = [
        (measures, np.unique(np.concatenate([side.with_unknown for side in measures.sides.values()])))
        for measures in inspected.streams
    ]
    yield from warn_of_examples(
        KIND,
        found,
        "Examples with <unk>, characters that no subword has",
        "Look at these rows for wrong encodings, other scripts and rare symbols, and mend or leave out what is wrong. "
        "A model cannot say such a character; more of them in train, or more pieces, make it known.",
        _sides_with_unknown,
    )


def _sides_with_unknown(measures: Measures, index: int) -> str:
    return "in its " + " and ".join(name for name, side in measures.sides.items() if index in side.with_unknown)
