"""Outliers of speaking rate: far more or fewer units or characters a second than is usual in the language."""

from collections.abc import Iterator

import numpy as np

from ..measures import Measures
from .rates import MIN_EXAMPLES, QUANTITIES, UNITS, RatedStream, rate_streams
from .silence import SILENT_SHARE
from .warning import DataWarning, Inspected, NotChecked, warn_of_examples

KIND = "speaking_rate"
# Logarithms of speaking rates are about normal, but for short and hurried utterances at the ends: 5 deviations, not 3.
MAX_DEVIATIONS = 5.0
# Where all speak alike (one speaker, a synthesiser) 5 deviations are small, and no fault.
MIN_FACTOR = 2.0


def check_speaking_rate(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Find the examples whose rate lies beyond MAX_DEVIATIONS, and a factor of MIN_FACTOR, from the median."""
    speech = inspected.speech
    untimed = [measures.name for measures in speech if measures.origins and not measures.origins.is_timed.all()]
    if untimed:
        yield NotChecked(KIND, f"the manifest does not give the duration of each example of {', '.join(untimed)}")
    rated = {quantity: rate_streams(inspected, quantity) for quantity in QUANTITIES}
    if speech and all(np.isnan(stream.medians).all() for streams in rated.values() for stream in streams):
        yield NotChecked(KIND, f"no language has {MIN_EXAMPLES} examples whose seconds are known")
    excess = {
        first.measures.name: np.array([_excess(rated[quantity][number], quantity) for quantity in QUANTITIES])
        for number, first in enumerate(rated[UNITS])
    }

    def describe(measures: Measures, index: int) -> str:
        quantity = QUANTITIES[int(excess[measures.name][:, index].argmax())]
        stream = next(stream for stream in rated[quantity] if stream.measures is measures)
        return f"{stream.rates[index]:.3g} {quantity} a second, usual {stream.medians[index]:.3g}"

    yield from warn_of_examples(
        KIND,
        [(stream.measures, _find_outliers(excess[stream.measures.name])) for stream in rated[UNITS]],
        f"Examples with a speaking rate far from what is usual in their language (beyond {MAX_DEVIATIONS:g} deviations "
        f"and a factor of {MIN_FACTOR:g})",
        "Listen to the worst: their text often belongs to other audio, or offset and duration are wrong; mend or leave "
        "out such rows. Spelled words and numbers in digits are far from usual too, and are no fault.",
        describe,
    )


def _find_outliers(excess: np.ndarray) -> np.ndarray:
    """Indices of the examples that some quantity (Q, N) puts beyond 1, the worst first."""
    worst = excess.max(axis=0)
    outliers = np.flatnonzero(worst > 1)
    return outliers[np.argsort(-worst[outliers], kind="stable")]


def _excess(stream: RatedStream, quantity: str) -> np.ndarray:
    """Distance of each rate from its median by the distance that is allowed, (N,); 0 where not known."""
    distances = np.abs(np.log(stream.rates / stream.medians))
    excess = np.nan_to_num(distances / np.maximum(MAX_DEVIATIONS * stream.log_deviations, np.log(MIN_FACTOR)))
    if quantity == UNITS:
        excess[stream.rates < SILENT_SHARE * stream.medians] = 0  # these are named as silence
    return excess
