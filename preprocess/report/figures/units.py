"""Units of the speech streams: their use, their runs, and tokens a second."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...data_bin.reader import DataBinReader
from .measures import Measures


def unit_counts(data_bin: DataBinReader, uses: np.ndarray) -> np.ndarray:
    """Occurrences of each deduplicated unit, (K,), from those of each id of the input dictionary, (V,)."""
    counts = np.zeros(data_bin.card.num_units, dtype=np.int64)
    for piece, units in zip(data_bin.unit_pieces, data_bin.units_of_pieces, strict=True):
        np.add.at(counts, units, uses[piece])
    return counts


def describe_units(data_bin: DataBinReader, speech: Sequence[Measures]) -> dict[str, Any]:
    """Use of units by split: counts, share that occurs, entropy and perplexity, and those never seen before."""
    figures: dict[str, Any] = {}
    known = np.zeros(data_bin.card.num_units, dtype=bool)
    for measures in speech:
        counts = unit_counts(data_bin, measures.sides["source"].uses)
        new = np.flatnonzero((counts > 0) & ~known) if figures else np.empty(0, dtype=int)
        figures[measures.stream.split] = {
            "deduplicated_units": int(counts.sum()),
            "used": int(np.count_nonzero(counts)),
            "share_used": float(np.mean(counts > 0)),
            "entropy_bits": entropy_bits(counts),
            "perplexity": 2 ** entropy_bits(counts),
            "not_in_earlier_splits": new.tolist(),
            "unused": np.flatnonzero(counts == 0).tolist(),
            "counts": counts.tolist(),
        }
        known |= counts > 0
    return figures


def entropy_bits(counts: np.ndarray) -> float:
    """Entropy of the distribution that counts give, in bits; 0 for no counts."""
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def describe_runs(speech: Sequence[Measures]) -> dict[str, Any]:
    """Runs by split: number of each length in frames, where the units' card told binarize."""
    figures: dict[str, Any] = {}
    for measures in speech:
        histogram = measures.stream.counts.run_lengths
        if histogram:
            lengths = np.array([*map(int, histogram)])
            numbers = np.array([*histogram.values()])
            figures[measures.stream.split] = {
                "runs": int(numbers.sum()),
                "mean": float((lengths * numbers).sum() / numbers.sum()),
                "share_of_one_frame": float(numbers[lengths == 1].sum() / numbers.sum()),
                "longest": int(lengths.max()),
                "counts": {str(length): number for length, number in histogram.items()},
            }
    return figures


def describe_rates(data_bin: DataBinReader, speech: Sequence[Measures]) -> dict[str, Any]:
    """Rates by split with known seconds: frames (first split only, from the card), units and tokens a second."""
    figures: dict[str, Any] = {}
    for measures in speech:
        seconds = measures.stream.counts.seconds
        if not seconds:
            continue
        sides = measures.sides
        rates = {
            "deduplicated_units": unit_counts(data_bin, sides["source"].uses).sum() / seconds,
            "unit_subwords": sides["source"].lengths.sum() / seconds,
            "target_subwords": sides["target"].lengths.sum() / seconds,
        }
        if "transcript" in sides and sides["transcript"].lengths.all():
            rates["transcript_subwords"] = sides["transcript"].lengths.sum() / seconds
        if not figures and data_bin.card.ratios.units_per_second:
            rates["frames"] = data_bin.card.ratios.units_per_second
        figures[measures.stream.split] = {"seconds": seconds} | {name: float(rate) for name, rate in rates.items()}
    return figures
