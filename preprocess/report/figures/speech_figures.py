"""Seconds of the examples of speech, and who speaks them, by split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .measures import Measures
from .stream_figures import LengthHistogram, LengthSummary, count_lengths, count_seconds, summarise_lengths


@dataclass(frozen=True)
class SecondsFigures:
    """Seconds of the examples of one split.

    Attributes:
        known, unknown: examples whose seconds are known, and the others.
        total: of the known ones.
        lengths, histogram: of an example.
    """

    known: int
    unknown: int
    total: float
    lengths: LengthSummary
    histogram: LengthHistogram


@dataclass(frozen=True)
class SpeakerFigures:
    """Speakers of one split.

    Attributes:
        speakers: their number.
        in_earlier_splits: those that also speak in a split before.
        unknown: examples whose speaker is not known.
        examples, histogram: examples of a speaker.
        seconds: of a speaker; None where the seconds of an example are not known.
    """

    speakers: int
    in_earlier_splits: int
    unknown: int
    examples: LengthSummary
    histogram: LengthHistogram
    seconds: LengthSummary | None


def describe_seconds(speech: Sequence[Measures]) -> dict[str, SecondsFigures]:
    """Seconds of the examples, by split, where they are known."""
    figures = {}
    for measures in speech:
        origins = measures.origins
        if origins is not None and origins.is_timed.any():
            known = origins.seconds[origins.is_timed]
            figures[measures.stream.split] = SecondsFigures(
                known=len(known),
                unknown=len(origins.seconds) - len(known),
                total=float(known.sum()),
                lengths=summarise_lengths(known),
                histogram=count_seconds(known),
            )
    return figures


def describe_speakers(speech: Sequence[Measures]) -> dict[str, SpeakerFigures]:
    """Speakers by split, where they are known."""
    figures: dict[str, SpeakerFigures] = {}
    earlier: set[str] = set()
    for measures in speech:
        origins = measures.origins
        if origins is None or not (origins.speakers != "").any():
            continue
        is_known = origins.speakers != ""
        names, speakers = np.unique(origins.speakers[is_known].astype(str), return_inverse=True)
        examples = np.bincount(speakers)
        is_timed = bool(origins.is_timed[is_known].all())
        seconds = np.bincount(speakers, weights=origins.seconds[is_known]) if is_timed else None
        figures[measures.stream.split] = SpeakerFigures(
            speakers=len(names),
            in_earlier_splits=len(earlier.intersection(names.tolist())),
            unknown=int(np.sum(~is_known)),
            examples=summarise_lengths(examples),
            histogram=count_lengths(examples),
            seconds=None if seconds is None else summarise_lengths(seconds),
        )
        earlier.update(names.tolist())
    return figures
