"""Log-likelihoods of label sequences under a transducer, summed over all alignments."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..transducer.transducer_lattice import lattice_columns, lattice_parts
from ..transducer.transducer_scorer import TransducerScorer


def transducer_log_likelihoods(scorer: TransducerScorer, references: Sequence[Sequence[int]]) -> list[float]:
    """Log-likelihood in nats of one label sequence for each utterance of the scorer's batch.

    Raises:
        NotFiniteError: a score is NaN or infinite.
    """
    device, longest = scorer.source_lengths.device, max(map(len, references))
    labels = torch.tensor([[*row, *[0] * (longest - len(row))] for row in references], dtype=torch.int64, device=device)
    num_labels = torch.tensor([len(row) for row in references], device=device).unsqueeze(1)
    found = []
    for part in lattice_parts(scorer):
        log_ends = [column.log_end for column in lattice_columns(scorer, part, labels[part])]
        found.append(torch.stack(log_ends, 1).gather(1, num_labels[part]).squeeze(1))
    scorer.check_finite()
    return torch.cat(found).tolist()
