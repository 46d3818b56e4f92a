"""Log-likelihoods of label sequences under a transducer, summed over all alignments (Graves 2012, arXiv:1211.3711)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..transducer_scorer import TransducerScorer


def transducer_log_likelihoods(scorer: TransducerScorer, references: Sequence[Sequence[int]]) -> list[float]:
    """Log-likelihood in nats of one label sequence for each utterance of the scorer's batch.

    With alpha(t, u) the probability to be at encoder step t with u labels, S(t) the sum of log blank(s, u) over s < t:
    log alpha(t, u) = S(t) + log of the sum over s <= t of alpha(s, u - 1) label(s, u - 1) exp(-S(s)).
    """
    return [_log_likelihood(scorer, row, labels) for row, labels in enumerate(references)]


def _log_likelihood(scorer: TransducerScorer, utterance: int, labels: Sequence[int]) -> float:
    steps = torch.arange(int(scorer.source_lengths[utterance]), device=scorer.source_lengths.device)
    rows = torch.full_like(steps, utterance)
    states = scorer.start(len(steps))
    log_entry = torch.full_like(steps, -torch.inf, dtype=torch.float64)  # of coming to a step by a label
    log_entry[0] = 0.0
    for place in range(len(labels) + 1):
        scores = scorer.scores(states, rows, steps)
        blanks = scores.blank.double()
        before = torch.nn.functional.pad(blanks.cumsum(0), (1, -1))
        log_alpha = before + (log_entry - before).logcumsumexp(0)
        if place < len(labels):
            log_entry = log_alpha + scores.labels[:, labels[place]].double()
            states = scorer.extend(states, steps, torch.full_like(steps, labels[place]))
    return float(log_alpha[-1] + blanks[-1])
