"""Units and characters a second of examples of speech, beside what is usual in their language."""

from dataclasses import dataclass

import numpy as np

from ..measures import Measures
from ..speech_origins import SpeechOrigins
from .warning import Inspected

UNITS, TRANSCRIPT, TRANSLATION = "units", "characters of transcript", "characters of translation"
QUANTITIES = (UNITS, TRANSCRIPT, TRANSLATION)
MIN_EXAMPLES = 20  # of a language: the median of fewer says little
NORMAL_DEVIATION = 1.4826  # standard deviations of a normal distribution in its median absolute deviation


@dataclass(frozen=True)
class RatedStream:
    """Rates of one quantity in a speech stream; NaN where not known.

    Attributes:
        measures: of the stream.
        rates: (N,) a second.
        medians: (N,) of the rates of the example's language, over all splits.
        log_deviations: (N,) robust standard deviations of the natural logarithms of these.
    """

    measures: Measures
    rates: np.ndarray
    medians: np.ndarray
    log_deviations: np.ndarray


def rate_streams(inspected: Inspected, quantity: str) -> list[RatedStream]:
    """Rates of one of QUANTITIES in the speech streams whose origins are known."""
    known = [(measures, measures.origins) for measures in inspected.speech if measures.origins is not None]
    side = "target" if quantity == TRANSLATION else "source"
    rated = [(origins.languages[side], _rates(measures, origins, quantity)) for measures, origins in known]
    languages = sorted({language for names, _ in rated for language in set(names.tolist())})
    streams = [
        RatedStream(measures, rates, np.full(len(rates), np.nan), np.full(len(rates), np.nan))
        for (measures, _), (_, rates) in zip(known, rated, strict=True)
    ]
    for language in languages:
        logs = np.log(np.concatenate([rates[names == language] for names, rates in rated]))
        logs = logs[~np.isnan(logs)]
        if len(logs) < MIN_EXAMPLES:
            continue
        median = np.median(logs)
        for (names, _), stream in zip(rated, streams, strict=True):
            stream.medians[names == language] = np.exp(median)
            stream.log_deviations[names == language] = NORMAL_DEVIATION * np.median(np.abs(logs - median))
    return streams


def _rates(measures: Measures, origins: SpeechOrigins, quantity: str) -> np.ndarray:
    """Sizes a second, (N,); the translation counts only without transcript, whose length says more of the speech."""
    sizes = {name: side.sizes for name, side in measures.sides.items()}
    transcripts = sizes.get("transcript", np.zeros(len(origins.seconds), dtype=int))
    size = {UNITS: sizes["source"], TRANSCRIPT: transcripts, TRANSLATION: sizes["target"] * (transcripts == 0)}[
        quantity
    ]
    return np.where(size > 0, size, np.nan) / origins.seconds
