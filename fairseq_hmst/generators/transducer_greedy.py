"""Greedy transducer decoding over all utterances of a batch together.

Searches walk alignments symbol by symbol: a symbol is a blank, which goes on to the next encoder step, or a label. So
utterances are at different encoder steps, and a batch takes as many rounds as its longest alignment has symbols.
"""

from __future__ import annotations

import torch

from .hypothesis import ScoredLabels
from .transducer_scorer import LabelLimit, TransducerScorer, select_rows


def transducer_greedy(scorer: TransducerScorer, limit: LabelLimit) -> list[ScoredLabels]:
    """The label sequence of each utterance's alignment that takes the likeliest symbol every time.

    Returns:
        One result for each utterance; its log-probability is that of this one alignment.
    """
    source_lengths = scorer.source_lengths
    steps, num_labels = torch.zeros_like(source_lengths), torch.zeros_like(source_lengths)
    log_probs = torch.zeros_like(source_lengths, dtype=torch.float64)
    states = scorer.start(len(source_lengths))
    symbols = []  # of each round: (B,) labels, -1 where there was a blank or nothing
    while len(active := (steps < source_lengths).nonzero().squeeze(1)) > 0:
        scores = scorer.scores(select_rows(states, active), active, steps[active])
        may_grow = limit.allows_label(num_labels[active], steps[active], source_lengths[active])
        label_scores, labels = scores.labels.max(1)
        is_label = (label_scores > scores.blank) & may_grow
        log_probs[active] += torch.where(is_label, label_scores, scores.blank).double()
        steps[active] += ~is_label
        num_labels[active] += is_label
        states = scorer.extend(states, active[is_label], labels[is_label])
        symbols.append(torch.full_like(steps, -1).index_copy(0, active, labels.masked_fill(~is_label, -1)))
    rows = torch.stack(symbols, 1)
    return [
        ScoredLabels(row[row >= 0].tolist(), log_prob) for row, log_prob in zip(rows, log_probs.tolist(), strict=True)
    ]
