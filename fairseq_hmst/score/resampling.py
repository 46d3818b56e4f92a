"""Scores of test sets drawn again, and of systems whose sentences are exchanged.

A metric of sacreBLEU scores a corpus by sums of counts of its sentences, so that no sentence is read twice. The draws
are sacreBLEU's own for the same seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.base import Metric

Numbers = NDArray[np.float64]
CERTAINTY = 0.95


@dataclass(frozen=True)
class SentenceCounts:
    """Counts of a metric in each sentence of a system; any sum of them has a score.

    Attributes:
        metric: of sacreBLEU.
        counts: (B, K), a row a sentence.
    """

    metric: Metric
    counts: Numbers

    @classmethod
    def of(cls, metric: Metric, hypotheses: Sequence[str], references: Sequence[str]) -> Self:
        """Counts of parallel texts, tokenised as the metric wants them."""
        counts = metric._extract_corpus_statistics(hypotheses, [references])
        return cls(metric, np.array(counts, np.float64))

    def score_of(self, sums: Numbers) -> float:
        """The metric, 0 to 100, of summed counts."""
        return float(self.metric._compute_score_from_stats(sums.tolist()).score)

    @property
    def score(self) -> float:
        """The metric, 0 to 100, of all sentences."""
        return self.score_of(self.counts.sum(0))


def bootstrap_scores(system: SentenceCounts, resamples: int, seed: int) -> Numbers:
    """Scores (resamples,) of test sets of as many sentences, drawn with replacement: the same for each system."""
    sentences = len(system.counts)
    draws = np.random.default_rng(seed).choice(sentences, size=(resamples, sentences), replace=True)
    return np.array([system.score_of(np.bincount(draw, minlength=sentences) @ system.counts) for draw in draws])


def interval_of(scores: Numbers) -> tuple[float, float]:
    """Bounds within which 95 % of the scores lie, as many below as above."""
    low, high = np.quantile(scores, [(1 - CERTAINTY) / 2, (1 + CERTAINTY) / 2])
    return float(low), float(high)


def randomization_p_value(own: SentenceCounts, first: SentenceCounts, trials: int, seed: int) -> float:
    """Share of exchanges that give a difference as large (approximate randomization, Riezler & Maxwell 2005).

    Were the systems equally good, either could have written either translation of a sentence. Each trial exchanges the
    two for about half of the sentences. The test is two-sided. sacreBLEU's own counts larger differences alone, and
    calls systems significantly different that differ in one sentence.
    """
    chosen = np.random.default_rng(seed).integers(2, size=(trials, len(own.counts)), dtype=bool)
    exchanged, both = first.counts - own.counts, own.counts.sum(0) + first.counts.sum(0)

    def difference(sums: Numbers) -> float:
        return abs(own.score_of(sums) - own.score_of(both - sums))

    own_sums = own.counts.sum(0)
    observed = difference(own_sums)
    as_large = sum(difference(own_sums + choice @ exchanged) >= observed for choice in chosen)
    return (as_large + 1) / (trials + 1)
