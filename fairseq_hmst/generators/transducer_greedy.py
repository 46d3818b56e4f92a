"""Greedy transducer decoding over all utterances of a batch together.

Searches walk alignments symbol by symbol: a symbol is a blank, which goes on to the next encoder step, or a label. So
utterances are at different encoder steps, and a batch takes as many rounds as its longest alignment has symbols.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .hypothesis import ScoredLabels
from .transducer_scorer import LabelLimit, States, TransducerScorer, select_rows


def transducer_greedy(scorer: TransducerScorer, limit: LabelLimit) -> list[ScoredLabels]:
    """The label sequence of each utterance's alignment that takes the likeliest symbol every time.

    Returns:
        One result for each utterance; its log-probability is that of this one alignment.

    Raises:
        NotFiniteError: a score is NaN or infinite.
    """
    found = _Alignments.start(scorer.source_lengths)
    utterances = torch.arange(len(found.steps), device=found.steps.device)  # all that go on, and perhaps others
    states = scorer.start(len(utterances))
    for num_rounds in range(scorer.max_symbols(limit)):
        if scorer.asks_after(num_rounds):
            going_on = (found.steps < scorer.source_lengths)[utterances].nonzero().squeeze(1)
            if len(going_on) == 0:
                break
            if len(going_on) < len(utterances):
                utterances, states = utterances[going_on], select_rows(states, going_on)
        states = _round(found, utterances, states, scorer, limit)
    scorer.check_finite()
    return found.results()


@dataclass
class _Alignments:
    """One alignment of each of B utterances, as far as it goes."""

    steps: Tensor  # (B,) encoder step, from 0; the utterance's length at the end
    num_labels: Tensor  # (B,)
    log_probs: Tensor  # (B,) float64
    symbols: list[Tensor]  # of each round: (B,) labels, -1 where there was a blank or nothing

    @classmethod
    def start(cls, source_lengths: Tensor) -> _Alignments:
        zeros = torch.zeros_like(source_lengths)
        return cls(zeros, zeros.clone(), zeros.double(), [])

    def results(self) -> list[ScoredLabels]:
        rows = zip(torch.stack(self.symbols, 1).tolist(), self.log_probs.tolist(), strict=True)
        return [ScoredLabels([label for label in row if label >= 0], log_prob) for row, log_prob in rows]


def _round(
    found: _Alignments, utterances: Tensor, states: States, scorer: TransducerScorer, limit: LabelLimit
) -> States:
    """Add the likeliest symbol of each utterance (N,) that goes on; their states after it."""
    steps, num_labels = found.steps[utterances], found.num_labels[utterances]
    source_lengths = scorer.source_lengths[utterances]
    goes_on = steps < source_lengths
    scores = scorer.scores(states, utterances, steps.minimum(source_lengths - 1))
    label_scores, labels = scores.labels.max(1)
    is_label = (label_scores > scores.blank) & limit.allows_label(num_labels, steps, source_lengths) & goes_on
    symbol_scores = torch.where(is_label, label_scores, scores.blank).double()
    found.log_probs[utterances] += symbol_scores.masked_fill(~goes_on, 0.0)
    found.steps[utterances] += goes_on & ~is_label
    found.num_labels[utterances] += is_label
    symbols = labels.masked_fill(~is_label, -1)
    found.symbols.append(torch.full_like(found.steps, -1).index_copy_(0, utterances, symbols))
    return scorer.extend(states, is_label, labels)
