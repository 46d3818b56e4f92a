"""Log-likelihoods of label sequences under a transducer, summed over all alignments (Graves 2012, arXiv:1211.3711)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..transducer.transducer_scorer import TransducerScorer, select_rows

# Encoder steps that are scored at once, of all utterances; bounds memory to so many rows of the vocabulary.
MAX_STEPS = 4096


def transducer_log_likelihoods(scorer: TransducerScorer, references: Sequence[Sequence[int]]) -> list[float]:
    """Log-likelihood in nats of one label sequence for each utterance of the scorer's batch.

    With alpha(t, u) the probability to be at encoder step t with u labels, S(t) the sum of log blank(s, u) over s < t:
    log alpha(t, u) = S(t) + log of the sum over s <= t of alpha(s, u - 1) label(s, u - 1) exp(-S(s)).

    Raises:
        NotFiniteError: a score is NaN or infinite.
    """
    device, longest = scorer.source_lengths.device, max(map(len, references))
    labels = torch.tensor([[*row, *[0] * (longest - len(row))] for row in references], dtype=torch.int64, device=device)
    num_labels = torch.tensor([len(row) for row in references], device=device)
    utterances = torch.arange(len(references), device=device)
    parts = utterances.split(max(1, MAX_STEPS // scorer.num_steps))
    found = torch.cat([_log_likelihoods(scorer, part, labels[part], num_labels[part]) for part in parts]).tolist()
    scorer.check_finite()
    return found


def _log_likelihoods(scorer: TransducerScorer, utterances: Tensor, labels: Tensor, num_labels: Tensor) -> Tensor:
    """Log-probabilities (N,) float64 of labels (N, U); what is beyond the lengths changes nothing."""
    last_steps = scorer.source_lengths[utterances].unsqueeze(1) - 1
    steps = torch.arange(scorer.num_steps, device=utterances.device).minimum(last_steps)  # (N, T)
    rows = torch.arange(len(utterances), device=utterances.device).repeat_interleave(scorer.num_steps)
    states = scorer.start(len(utterances))
    log_entry = torch.full_like(steps, -torch.inf, dtype=torch.float64)  # of coming to a step by a label
    log_entry[:, 0] = 0.0
    log_ends = []  # of ending with 0, 1, ... labels, (N, 1) each
    for place in range(labels.size(1) + 1):
        projected = select_rows([state[:1] for state in states], rows)
        scores = scorer.scores(projected, utterances[rows], steps.flatten())
        blanks = scores.blank.view(steps.shape).double()
        before = torch.nn.functional.pad(blanks.cumsum(1), (1, -1))
        log_alpha = before + (log_entry - before).logcumsumexp(1)
        log_ends.append((log_alpha + blanks).gather(1, last_steps))
        if place < labels.size(1):
            label = labels[:, place]
            log_label = scores.labels.gather(1, label[rows].unsqueeze(1)).view(steps.shape)
            log_entry = log_alpha + log_label.double()
            states = scorer.extend(states, torch.ones_like(label, dtype=torch.bool), label)
    return torch.cat(log_ends, 1).gather(1, num_labels.unsqueeze(1)).squeeze(1)
