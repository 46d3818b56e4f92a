"""Several trainings of a system: whether other seeds alone could make its difference from another."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A score of several trainings of one system.

    Attributes:
        mean, deviation: over its trainings, of which there are two or more.
        difference: of the mean from the first system's; None for that, as are the next two.
        difference_interval: its 95 % confidence interval, by Student's t.
        p_value: of a difference as large by chance, by the two-sided paired t test.
    """

    mean: float
    deviation: float
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    p_value: float | None = None


def compare_trainings(scores: Sequence[float], first: Sequence[float] | None = None) -> Spread:
    """Mean, deviation, and the paired t test against the first system.

    Args:
        scores: of two trainings or more.
        first: those of the first system, parallel: a pair has one seed, or is any; None: `scores` are those.
    """
    mean, deviation = statistics.mean(scores), statistics.stdev(scores)
    if first is None:
        return Spread(mean, deviation)
    differences = [score - other for score, other in zip(scores, first, strict=True)]
    if not any(differences):
        return Spread(mean, deviation, 0.0, (0.0, 0.0), 1.0)  # Student's t is not defined
    from scipy.stats import ttest_1samp  # takes two seconds to import

    test = ttest_1samp(differences, 0)
    low, high = test.confidence_interval(0.95)
    return Spread(mean, deviation, statistics.mean(differences), (float(low), float(high)), float(test.pvalue))
