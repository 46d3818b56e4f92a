"""Greedy transducer decoding over all utterances of a batch together.

Searches walk alignments symbol by symbol: a symbol is a blank, which goes on to the next encoder step, or a label. So
utterances are at different encoder steps, and a batch takes as many rounds as its longest alignment has symbols.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..hypothesis import ScoredLabels
from .transducer_scorer import LabelLimit, States, TransducerScorer, allows_label, select_rows


def transducer_greedy(scorer: TransducerScorer, limit: LabelLimit) -> list[ScoredLabels]:
    """The label sequence of each utterance's alignment that takes the likeliest symbol every time.

    Returns:
        One result for each utterance; its log-probability is that of this one alignment.

    Raises:
        NotFiniteError: a score is NaN or infinite.
    """
    going_on = _start(scorer, limit)  # and perhaps others
    log_probs = torch.zeros_like(going_on.log_probs)
    symbols = []  # of each round: (B,) labels, -1 where there was a blank or nothing
    for num_rounds in range(scorer.max_symbols(limit)):
        if scorer.asks_after(num_rounds):
            kept = (going_on.steps <= going_on.last_steps).nonzero().squeeze(1)
            if len(kept) < len(going_on.steps):
                log_probs.index_copy_(0, going_on.utterances, going_on.log_probs)
                going_on = going_on.rows(kept)
            if len(kept) == 0:
                break
        symbols.append(_spread(_round(going_on, scorer), going_on.utterances, len(log_probs)))
    log_probs.index_copy_(0, going_on.utterances, going_on.log_probs)
    scorer.check_finite()
    rows = zip(torch.stack(symbols, 1).tolist(), log_probs.tolist(), strict=True)
    return [ScoredLabels([label for label in row if label >= 0], log_prob) for row, log_prob in rows]


@dataclass
class _Alignments:
    """One alignment of each of N utterances, as far as it goes."""

    utterances: Tensor  # (N,)
    last_steps: Tensor  # (N,)
    limits: Tensor  # (N,) most labels
    steps: Tensor  # (N,) encoder step; after the last one at the end
    num_labels: Tensor  # (N,)
    log_probs: Tensor  # (N,) float64
    states: States  # N rows

    def rows(self, index: Tensor) -> _Alignments:
        rows = {name: value[index] for name, value in vars(self).items() if isinstance(value, Tensor)}
        return _Alignments(**rows, states=select_rows(self.states, index))


def _start(scorer: TransducerScorer, limit: LabelLimit) -> _Alignments:
    lengths = scorer.source_lengths
    utterances, zeros = torch.arange(len(lengths), device=lengths.device), torch.zeros_like(lengths)
    states = scorer.start(len(lengths))
    return _Alignments(utterances, lengths - 1, limit.total(lengths), zeros, zeros, zeros.double(), states)


def _round(alignments: _Alignments, scorer: TransducerScorer) -> Tensor:
    """Add the likeliest symbol to each alignment; it, -1 for a blank or nothing, (N,)."""
    goes_on = alignments.steps <= alignments.last_steps
    steps = alignments.steps.minimum(alignments.last_steps)
    scores = scorer.scores(alignments.states, alignments.utterances, steps)
    label_scores, labels = scores.labels.max(1)
    is_label = (label_scores > scores.blank) & allows_label(alignments.num_labels, steps, alignments.limits) & goes_on
    symbol_scores = torch.where(is_label, label_scores, scores.blank).double()
    alignments.log_probs = alignments.log_probs + symbol_scores.masked_fill(~goes_on, 0.0)
    alignments.steps = alignments.steps + (goes_on ^ is_label)
    alignments.num_labels = alignments.num_labels + is_label
    alignments.states = scorer.extend(alignments.states, is_label, labels)
    return labels.masked_fill(~is_label, -1)


def _spread(symbols: Tensor, utterances: Tensor, num_utterances: int) -> Tensor:
    """Symbols (N,) of some utterances in places of all, -1 elsewhere."""
    if len(symbols) == num_utterances:
        return symbols
    return symbols.new_full((num_utterances,), -1).index_copy_(0, utterances, symbols)
