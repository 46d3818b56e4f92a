"""Silence: examples of speech without units, nearly all of whose units are one, or with very long runs."""

from collections.abc import Iterator

import numpy as np

from ....data_bin.reader import Stream
from ..measures import Measures
from .rates import UNITS, rate_streams
from .warning import DataWarning, Inspected, NotChecked, warn_of_examples

KIND = "silence"
# Neighbours differ, so that one unit can be every second one at most. Speech comes to a tenth of that; what is left of
# a silence when its runs became one (silence, click, silence, click) comes to all of it.
DOMINANT_SHARE = 0.8
# Units a second against the median: runs are then four times as long as usual on the mean.
SILENT_SHARE = 0.25


def check_silence(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Find the examples of speech that hold little or none."""
    if any(measures.origins is None or not measures.origins.is_timed.all() for measures in inspected.speech):
        yield NotChecked(KIND, "where the seconds are not known, long runs are not either; one unit again and again is")
    shares = {measures.name: _dominant_shares(measures.stream) for measures in inspected.speech}
    slow = {
        stream.measures.name: stream.rates < SILENT_SHARE * stream.medians for stream in rate_streams(inspected, UNITS)
    }
    found = [
        (measures, np.flatnonzero((shares[measures.name] >= DOMINANT_SHARE) | slow.get(measures.name, False)))
        for measures in inspected.speech
    ]
    yield from warn_of_examples(
        KIND,
        found,
        "Examples of speech that are silent or nearly so (one unit again and again, or very long runs)",
        "Listen to them: the recording may be empty, cut at the wrong place, or of another channel. Leave such rows "
        "out.",
        _describe,
    )


def _describe(measures: Measures, index: int) -> str:
    number = int(measures.sides["source"].sizes[index])
    seconds = np.nan if measures.origins is None else measures.origins.seconds[index]
    return f"{number} unit{'s' * (number != 1)}" + ("" if np.isnan(seconds) else f" in {seconds:.3g} s")


def _dominant_shares(stream: Stream) -> np.ndarray:
    """Use of the most frequent unit of each example against the most that can be, (N,); 1 without units."""
    data_bin = stream.data_bin
    num_pieces = len(data_bin.source_symbols)
    units_of_pieces = dict(zip(data_bin.unit_pieces, data_bin.units_of_pieces, strict=True))
    lengths = np.array([len(units_of_pieces.get(piece, ())) for piece in range(num_pieces)])
    begins = np.cumsum(lengths) - lengths
    flat_units = np.concatenate(
        [np.array(units_of_pieces.get(piece, ()), dtype=np.int64) for piece in range(num_pieces)]
    )
    shares = []
    for rows in stream.chunks("source"):
        ids = np.concatenate(rows)
        row_of_id = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        counts = lengths[ids]
        # Position of each unit within its piece: 0, 1, ..., 0, 1, ...
        places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        units = flat_units[np.repeat(begins[ids], counts) + places]
        row_of_unit = np.repeat(row_of_id, counts)
        codes, times = np.unique(row_of_unit * data_bin.card.num_units + units, return_counts=True)
        most = np.zeros(len(rows), dtype=np.int64)
        np.maximum.at(most, codes // data_bin.card.num_units, times)
        num_units = np.bincount(row_of_unit, minlength=len(rows))
        shares.append(np.where(num_units > 0, most / np.maximum((num_units + 1) // 2, 1), 1.0))
    return np.concatenate(shares)
