"""Greedy transducer decoding over all utterances of a batch together, and the bound on labels of every search.

Searches walk alignments symbol by symbol: a symbol is a blank, which goes on to the next encoder step, or a label. So
utterances stand at different encoder steps, and a batch takes as many rounds as its longest alignment has symbols.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .ctc_search import ScoredLabels
from .transducer_scorer import TransducerScorer, select_rows

# No alignment has more than this many labels an encoder step, counted from the first step to the present one. Sources
# are longer than their translations here, so that only a model that never says blank comes near. Counted from the
# start, since a translation may have to wait for the end of its source and then come all at one step.
MAX_LABELS_PER_STEP = 5


@dataclass
class LabelLimit:
    """How many labels an alignment may hold: MAX_LABELS_PER_STEP, and fairseq's --max-len-a and --max-len-b."""

    max_len_a: float = 0.0
    max_len_b: int = 200

    def allows_label(self, num_labels: Tensor, steps: Tensor, source_lengths: Tensor) -> Tensor:
        """Whether one more label may follow `num_labels` at encoder step `steps` (from 0); shapes that broadcast."""
        total = (self.max_len_a * source_lengths + self.max_len_b).long()
        return (num_labels < total) & (num_labels < MAX_LABELS_PER_STEP * (steps + 1))


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
