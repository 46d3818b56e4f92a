"""Lengths, languages, unknown tokens, CTC feasibility and use of the dictionaries, for each stream."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...data_bin.reader import DataBinReader
from ...vocabulary.dictionary import SPECIAL_SYMBOLS
from .measures import Measures, Side

NUM_BINS = 40


def describe_lengths(lengths: np.ndarray) -> dict[str, float]:
    """Tokens of an example: smallest, 5th percentile, median, mean, 95th percentile, largest."""
    low, median, high = np.percentile(lengths, (5, 50, 95))
    return {
        "min": int(lengths.min()),
        "p5": float(low),
        "median": float(median),
        "mean": float(lengths.mean()),
        "p95": float(high),
        "max": int(lengths.max()),
    }


def describe_histogram(lengths: np.ndarray, step: int = 1) -> dict[str, Any]:
    """Examples by length, in at most NUM_BINS bins of equal width; the longest 1 % may lie beyond them.

    Args:
        lengths: whole numbers.
        step: all lengths are multiples of it, so the width is one too.

    Returns:
        width: of a bin, in tokens; bin i holds the lengths from i * width, up to but without (i + 1) * width.
        counts: examples in each bin.
        longer: examples beyond the last bin.
    """
    largest = int(np.percentile(lengths, 99, method="higher"))
    width = step * (largest // (step * NUM_BINS) + 1)
    bins = np.bincount(lengths.astype(np.int64) // width)
    last = largest // width + 1
    return {"width": width, "counts": bins[:last].tolist(), "longer": int(bins[last:].sum())}


def describe_stream(measures: Measures) -> dict[str, Any]:
    """All that is known of one stream beside its units."""
    counts = measures.stream.counts
    figures: dict[str, Any] = {
        "examples": counts.examples,
        "seconds": counts.seconds,
        "target_languages": counts.target_languages,
    }
    for name, side in measures.sides.items():
        is_repeated = (measures.stream.name, name) == ("mt", "source")
        figures[name] = _describe_side(side, measures.stream.data_bin.card.repeat if is_repeated else 1)
    for name, number in measures.infeasible.items():
        figures[name] |= {"ctc_infeasible": number, "ctc_infeasible_share": number / counts.examples}
    return figures


def describe_vocabulary(data_bin: DataBinReader, streams: Sequence[Measures]) -> dict[str, Any]:
    """Pieces in the dictionaries, how many the first split uses, and how many tokens."""
    sources = np.zeros(len(data_bin.source_symbols), dtype=np.int64)
    targets = np.zeros(len(data_bin.target_symbols), dtype=np.int64)
    for measures in streams:
        if measures.stream.split == streams[0].stream.split:
            for name, side in measures.sides.items():
                uses = targets if name == "target" else sources
                uses += side.uses
    first_target = len(SPECIAL_SYMBOLS)
    pieces = {
        "unit": sources[data_bin.unit_pieces],
        "source": sources[data_bin.text_pieces],
        "target": targets[first_target : first_target + data_bin.card.dictionary.target_subwords],
    }
    return {
        name: {"pieces": len(uses), "used": int(np.count_nonzero(uses)), "tokens": int(uses.sum())}
        for name, uses in pieces.items()
    }


def _describe_side(side: Side, step: int) -> dict[str, Any]:
    known = side.lengths[side.lengths > 0]
    return {
        "known": len(known),
        "tokens": int(side.lengths.sum()),
        "unknown": side.num_unknown,
        "lengths": describe_lengths(known) if len(known) else None,
        "histogram": describe_histogram(known, step) if len(known) else None,
    }
