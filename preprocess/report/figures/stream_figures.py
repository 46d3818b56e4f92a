"""Lengths, languages, unknown tokens and CTC feasibility of each stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET, UnsetType

from .measures import Measures

NUM_BINS = 40


@dataclass(frozen=True)
class LengthSummary:
    """Lengths of some examples: smallest, 5th percentile, median, mean, 95th percentile, largest."""

    min: int | float
    p5: float
    median: float
    mean: float
    p95: float
    max: int | float


@dataclass(frozen=True)
class LengthHistogram:
    """Examples by length, in bins of equal width.

    Attributes:
        width: of a bin; bin i holds the lengths from i * width, up to but without (i + 1) * width.
        counts: examples in each bin.
        longer: examples beyond the last bin.
    """

    width: int | float
    counts: Sequence[int]
    longer: int


@dataclass(frozen=True)
class SideFigures:
    """One side of a stream: source, transcript or target.

    Attributes:
        known: examples that have it.
        tokens: over all examples.
        unknown: <unk> among these.
        lengths, histogram: of the known ones; None where there are none.
        ctc_infeasible, ctc_infeasible_share: sources too short for a CTC of it; unset for the source itself.
    """

    known: int
    tokens: int
    unknown: int
    lengths: LengthSummary | None
    histogram: LengthHistogram | None
    ctc_infeasible: int | UnsetType = UNSET
    ctc_infeasible_share: float | UnsetType = UNSET


@dataclass(frozen=True)
class StreamFigures:
    """All that is known of one stream beside its units.

    Attributes:
        examples: their number.
        seconds: of speech; None: not known, or text.
        target_languages: examples by language.
        source, target: its sides.
        transcript: unset where the stream has none.
    """

    examples: int
    seconds: float | None
    target_languages: Mapping[str, int]
    source: SideFigures
    target: SideFigures
    transcript: SideFigures | UnsetType = UNSET

    @property
    def sides(self) -> dict[str, SideFigures]:
        """Sides by name, in the order in which they are shown."""
        transcript = {"transcript": self.transcript} if self.transcript else {}
        return {"source": self.source, **transcript, "target": self.target}


def describe_stream(measures: Measures) -> StreamFigures:
    """All figures of one stream beside those of its units."""
    counts = measures.stream.counts
    sides = {name: _describe_side(measures, name) for name in measures.sides}
    return StreamFigures(counts.examples, counts.seconds, counts.target_languages, **sides)


def _describe_side(measures: Measures, name: str) -> SideFigures:
    side = measures.sides[name]
    known = side.lengths[side.lengths > 0]
    is_repeated = (measures.stream.name, name) == ("mt", "source")
    infeasible = measures.infeasible.get(name, UNSET)
    return SideFigures(
        known=len(known),
        tokens=int(side.lengths.sum()),
        unknown=side.num_unknown,
        lengths=summarise_lengths(known) if len(known) else None,
        histogram=count_lengths(known, measures.stream.data_bin.card.repeat if is_repeated else 1)
        if len(known)
        else None,
        ctc_infeasible=infeasible,
        ctc_infeasible_share=UNSET if infeasible is UNSET else infeasible / measures.stream.counts.examples,
    )


def summarise_lengths(lengths: np.ndarray) -> LengthSummary:
    """Smallest, largest, mean and percentiles of lengths (N,), N at least 1."""
    low, median, high = np.percentile(lengths, (5, 50, 95))
    return LengthSummary(
        min=lengths.min().item(),
        p5=float(low),
        median=float(median),
        mean=float(lengths.mean()),
        p95=float(high),
        max=lengths.max().item(),
    )


def count_lengths(lengths: np.ndarray, step: int = 1) -> LengthHistogram:
    """Count examples by length, in at most NUM_BINS bins; the longest 1 % may lie beyond them.

    Args:
        lengths: (N,) whole numbers, N at least 1.
        step: all lengths are multiples of it, so the width is one too.
    """
    largest = int(np.percentile(lengths, 99, method="higher"))
    return _fill_bins(lengths, step * (largest // (step * NUM_BINS) + 1), largest)


def count_seconds(seconds: np.ndarray) -> LengthHistogram:
    """Count examples by seconds, (N,) above 0, N at least 1; like `count_lengths`, with bins of a round width."""
    largest = float(np.percentile(seconds, 99, method="higher"))
    widths = (digit * 10.0**power for power in range(-2, 6) for digit in (1, 2, 5))
    return _fill_bins(seconds, next(width for width in widths if largest < width * NUM_BINS), largest)


def _fill_bins(lengths: np.ndarray, width: int | float, largest: int | float) -> LengthHistogram:
    """Histogram up to the bin of `largest`."""
    # Not `//`: 1.5 // 0.05 is 29. A length a billionth below a border counts as on it.
    bins = np.bincount(np.floor(lengths / width + 1e-9).astype(np.int64))
    last = int(largest / width + 1e-9) + 1
    return LengthHistogram(width, bins[:last].tolist(), int(bins[last:].sum()))
