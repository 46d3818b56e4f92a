"""Units of the speech streams: their use, their runs, and tokens a second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET, UnsetType

from ...data_bin.reader import DataBinReader
from .measures import Measures


@dataclass(frozen=True)
class UnitUse:
    """Use of units in one split.

    Attributes:
        deduplicated_units: occurrences of all units.
        used, share_used: units that occur, and their share of all, 0 to 1.
        entropy_bits: of the units' distribution.
        perplexity: 2 to the power of the entropy.
        not_in_earlier_splits: units that occur in no split before; empty for the first split.
        unused: units that do not occur.
        counts: occurrences of each unit, K of them.
    """

    deduplicated_units: int
    used: int
    share_used: float
    entropy_bits: float
    perplexity: float
    not_in_earlier_splits: Sequence[int]
    unused: Sequence[int]
    counts: Sequence[int]


@dataclass(frozen=True)
class UnitRuns:
    """Runs of one unit in one split, in frames.

    Attributes:
        runs: their number.
        mean, longest: their length.
        share_of_one_frame: 0 to 1.
        counts: runs by length.
    """

    runs: int
    mean: float
    share_of_one_frame: float
    longest: int
    counts: Mapping[int, int]


@dataclass(frozen=True)
class TokenRates:
    """Tokens a second in one split.

    Attributes:
        seconds: of speech.
        deduplicated_units, unit_subwords, target_subwords: a second.
        transcript_subwords: a second; unset unless all examples have a transcript.
        frames: a second; known of the first split alone, from the card.
    """

    seconds: float
    deduplicated_units: float
    unit_subwords: float
    target_subwords: float
    transcript_subwords: float | UnsetType = UNSET
    frames: float | UnsetType = UNSET


def count_units(data_bin: DataBinReader, uses: np.ndarray) -> np.ndarray:
    """Occurrences of each deduplicated unit, (K,), from those of each id of the input dictionary, (V,)."""
    counts = np.zeros(data_bin.card.num_units, dtype=np.int64)
    for piece, units in zip(data_bin.unit_pieces, data_bin.units_of_pieces, strict=True):
        np.add.at(counts, units, uses[piece])
    return counts


def describe_units(data_bin: DataBinReader, speech: Sequence[Measures]) -> dict[str, UnitUse]:
    """Use of units, by split."""
    figures: dict[str, UnitUse] = {}
    known = np.zeros(data_bin.card.num_units, dtype=bool)
    for measures in speech:
        counts = count_units(data_bin, measures.sides["source"].uses)
        new = np.flatnonzero((counts > 0) & ~known) if figures else np.empty(0, dtype=int)
        figures[measures.stream.split] = UnitUse(
            deduplicated_units=int(counts.sum()),
            used=int(np.count_nonzero(counts)),
            share_used=float(np.mean(counts > 0)),
            entropy_bits=entropy_bits(counts),
            perplexity=2 ** entropy_bits(counts),
            not_in_earlier_splits=new.tolist(),
            unused=np.flatnonzero(counts == 0).tolist(),
            counts=counts.tolist(),
        )
        known |= counts > 0
    return figures


def entropy_bits(counts: np.ndarray) -> float:
    """Entropy of the distribution that counts give, in bits; 0 for no counts."""
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def describe_runs(speech: Sequence[Measures]) -> dict[str, UnitRuns]:
    """Runs of units, by split, where the units' card told binarize."""
    figures: dict[str, UnitRuns] = {}
    for measures in speech:
        counts = measures.stream.counts.run_lengths
        if counts:
            lengths, numbers = np.array([*counts]), np.array([*counts.values()])
            figures[measures.stream.split] = UnitRuns(
                runs=int(numbers.sum()),
                mean=float((lengths * numbers).sum() / numbers.sum()),
                share_of_one_frame=float(numbers[lengths == 1].sum() / numbers.sum()),
                longest=int(lengths.max()),
                counts=counts,
            )
    return figures


def describe_rates(data_bin: DataBinReader, speech: Sequence[Measures]) -> dict[str, TokenRates]:
    """Rates of tokens, by split, where the length of the speech is known."""
    figures: dict[str, TokenRates] = {}
    for measures in speech:
        seconds, sides = measures.stream.counts.seconds, measures.sides
        if not seconds:
            continue
        has_transcripts = "transcript" in sides and sides["transcript"].lengths.all()
        frames = None if figures else data_bin.card.ratios.units_per_second
        figures[measures.stream.split] = TokenRates(
            seconds=seconds,
            deduplicated_units=float(count_units(data_bin, sides["source"].uses).sum() / seconds),
            unit_subwords=float(sides["source"].lengths.sum() / seconds),
            target_subwords=float(sides["target"].lengths.sum() / seconds),
            transcript_subwords=float(sides["transcript"].lengths.sum() / seconds) if has_transcripts else UNSET,
            frames=frames or UNSET,
        )
    return figures
