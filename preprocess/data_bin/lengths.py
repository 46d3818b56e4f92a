"""Lengths of a split's speech in seconds: of all of it, and of its long utterances."""

import numpy as np

from ..files.splits import Split

LONG_PERCENTILE = 95


def total_seconds(split: Split) -> float | None:
    """Length of the split's speech; None where neither the units' card nor the manifest says it."""
    if split.units_card is not None:
        return split.units_card.seconds
    durations = _durations(split)
    known = [duration for duration in durations.values() if duration is not None]
    return round(sum(known), 3) if known and len(known) == len(durations) else None


def long_seconds(split: Split) -> float | None:
    """95th percentile of the lengths of the split's utterances; None where too little is known.

    A row that has no duration in the manifest is taken to be as long as its deduplicated units are, each of them the
    mean length of a unit by the units' card; without that card one such row makes the lengths unknown.
    """
    durations = _durations(split)
    if split.units_card is not None and split.units_card.deduplicated_units:
        unit_seconds = split.units_card.seconds / split.units_card.deduplicated_units
        lengths = [
            len(split.units[row]) * unit_seconds if duration is None else duration
            for row, duration in durations.items()
        ]
    else:
        lengths = [duration for duration in durations.values() if duration is not None]
        if len(lengths) < len(durations):
            return None
    return round(float(np.percentile(lengths, LONG_PERCENTILE)), 3) if lengths else None


def _durations(split: Split) -> dict[str, float | None]:
    """Seconds of each utterance by the manifest and its speed, by id; None where a row goes to the end of its file."""
    return {row.id: row.duration for row in split.spoken_rows()}
