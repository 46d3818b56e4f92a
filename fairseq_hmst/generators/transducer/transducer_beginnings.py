"""Alignments of a transducer to the end of given beginnings, where a search goes on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..beginnings import Beginnings
from .transducer_lattice import LatticeColumn, lattice_columns, lattice_parts
from .transducer_scorer import States, TransducerScorer


@dataclass
class BegunAlignments:
    """Alignments of B utterances whose labels are the beginnings.

    Attributes:
        log_probs: (B, T + 2) float64, to be at each encoder step, summed over all alignments; one step after the last
            that of the beginning as a translation; -inf beyond, and of what is not given.
        log_ends: (B,) float64, of each beginning as a translation.
        states: B rows, after the beginnings.
    """

    log_probs: Tensor
    log_ends: Tensor
    states: States


def begun_alignments(scorer: TransducerScorer, beginnings: Beginnings) -> BegunAlignments:
    """The alignments, by one lattice an utterance; no limit bounds their labels."""
    columns = [_last_column(scorer, part, beginnings) for part in lattice_parts(scorer)]
    log_alpha, log_ends = (
        torch.cat([getattr(column, name) for column in columns]) for name in ("log_alpha", "log_end")
    )
    states: States = [
        tuple(map(torch.cat, zip(*parts, strict=True))) for parts in zip(*(c.states for c in columns), strict=True)
    ]
    steps = torch.arange(scorer.num_steps + 2, device=log_alpha.device)
    lengths = scorer.source_lengths.unsqueeze(1)
    log_probs = torch.nn.functional.pad(log_alpha, (0, 2))
    log_probs = torch.where(steps == lengths, log_ends.unsqueeze(1), log_probs)
    log_probs.masked_fill_((steps > lengths) | ~beginnings.are_given.unsqueeze(1), -torch.inf)
    return BegunAlignments(log_probs, log_ends, states)


def _last_column(scorer: TransducerScorer, utterances: Tensor, beginnings: Beginnings) -> LatticeColumn:
    """The column of each utterance (N,) after its whole beginning."""
    columns = lattice_columns(scorer, utterances, beginnings.labels[utterances])
    last = next(columns)
    for num_labels, column in enumerate(columns, 1):
        last = column.where(beginnings.lengths[utterances] >= num_labels, last)
    return last
