"""Forward probabilities of known label sequences under a transducer (Graves 2012, arXiv:1211.3711), label by label.

With alpha(t, u) the probability to be at encoder step t with u labels, S(t) the sum of log blank(s, u) over s < t:
log alpha(t, u) = S(t) + log of the sum over s <= t of alpha(s, u - 1) label(s, u - 1) exp(-S(s)).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .transducer_scorer import States, TransducerScorer, select_rows

# Encoder steps that are scored at once, of all utterances; bounds memory to so many rows of the vocabulary.
MAX_STEPS = 4096


@dataclass
class LatticeColumn:
    """All encoder steps after some labels, of N utterances.

    Attributes:
        log_alpha: (N, T) float64, to be at each step; beyond an utterance's length it means nothing.
        log_end: (N,) float64, of these labels as a whole sequence.
        states: N rows.
    """

    log_alpha: Tensor
    log_end: Tensor
    states: States

    def where(self, is_this: Tensor, other: LatticeColumn) -> LatticeColumn:
        """Rows (N,) of this, and the others of another."""
        states = [
            tuple(_where(is_this, *each) for each in zip(*pair, strict=True))
            for pair in zip(self.states, other.states, strict=True)
        ]
        log_alpha, log_end = (
            _where(is_this, self.log_alpha, other.log_alpha),
            _where(is_this, self.log_end, other.log_end),
        )
        return LatticeColumn(log_alpha, log_end, states)


def _where(is_first: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return torch.where(is_first.view(-1, *[1] * (first.dim() - 1)), first, second)


def lattice_parts(scorer: TransducerScorer) -> tuple[Tensor, ...]:
    """The scorer's utterances in parts, which are scored one after the other."""
    utterances = torch.arange(len(scorer.source_lengths), device=scorer.source_lengths.device)
    return utterances.split(max(1, MAX_STEPS // scorer.num_steps))


def lattice_columns(scorer: TransducerScorer, utterances: Tensor, labels: Tensor) -> Iterator[LatticeColumn]:
    """Columns after 0, 1, ..., U labels (N, U) of utterances (N,)."""
    last_steps = scorer.source_lengths[utterances].unsqueeze(1) - 1
    steps = torch.arange(scorer.num_steps, device=utterances.device).minimum(last_steps)  # (N, T)
    rows = torch.arange(len(utterances), device=utterances.device).repeat_interleave(scorer.num_steps)
    states = scorer.start(len(utterances))
    log_entry = torch.full_like(steps, -torch.inf, dtype=torch.float64)  # of coming to a step by a label
    log_entry[:, 0] = 0.0
    for place in range(labels.size(1) + 1):
        projected = select_rows([state[:1] for state in states], rows)
        scores = scorer.scores(projected, utterances[rows], steps.flatten())
        blanks = scores.blank.view(steps.shape).double()
        before = torch.nn.functional.pad(blanks.cumsum(1), (1, -1))
        log_alpha = before + (log_entry - before).logcumsumexp(1)
        yield LatticeColumn(log_alpha, (log_alpha + blanks).gather(1, last_steps).squeeze(1), states)
        if place < labels.size(1):
            label = labels[:, place]
            log_label = scores.labels.gather(1, label[rows].unsqueeze(1)).view(steps.shape)
            log_entry = log_alpha + log_label.double()
            states = scorer.extend(states, torch.ones_like(label, dtype=torch.bool), label)
