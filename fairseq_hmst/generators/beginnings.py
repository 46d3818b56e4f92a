"""Given beginnings of translations, fairseq's `prefix_tokens`: labels with which every hypothesis begins.

A beginning is of text alone. A language symbol before it may be there or not, and is left out: what writes one, writes
it by itself. End of sentence says that the translation ends there; padding follows the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import torch
from torch import Tensor

from .hypothesis import ScoredLabels


@dataclass(frozen=True)
class Beginning:
    """The beginning of one translation.

    Attributes:
        labels: text tokens, perhaps none.
        is_whole: whether the translation ends after them.
    """

    labels: list[int]
    is_whole: bool


def read_beginnings(prefix_tokens: Tensor, not_labels: Set[int], eos_index: int) -> list[Beginning]:
    """The beginning of each utterance.

    Args:
        prefix_tokens: (B, P), padded on the right.
        not_labels: ids that are left out, such as padding and language symbols.
        eos_index: id of end of sentence.
    """
    return [
        Beginning([token for token in row if token not in not_labels], eos_index in row)
        for row in prefix_tokens.tolist()
    ]


class Beginnings:
    """Beginnings of a batch, for searches over label sequences.

    Args:
        rows: of each utterance.
        device: of the tensors.

    Attributes:
        labels: (B, P), 0 after the end of each.
        lengths: (B,).
        last_labels: (B,), -1 of one without labels.
        are_given: (B,), False where nothing is asked for.
        are_whole: (B,), where the translation ends after the labels.
    """

    def __init__(self, rows: Sequence[Beginning], device: torch.device) -> None:
        self._rows = rows
        longest = max(len(row.labels) for row in rows)
        padded = [row.labels + [0] * (longest - len(row.labels)) for row in rows]
        self.labels = torch.tensor(padded, dtype=torch.int64, device=device).view(len(rows), longest)
        self.lengths = torch.tensor([len(row.labels) for row in rows], device=device)
        self.last_labels = torch.tensor([row.labels[-1] if row.labels else -1 for row in rows], device=device)
        self.are_whole = torch.tensor([row.is_whole for row in rows], device=device)
        self.are_given = (self.lengths > 0) | self.are_whole

    def continued(self, found: Sequence[list[ScoredLabels]], log_probs: Sequence[float]) -> list[list[ScoredLabels]]:
        """Whole hypotheses; at least the beginning itself where one is given, even if it is impossible.

        Args:
            found: of each utterance, labels after its beginning with log-probabilities of whole hypotheses.
            log_probs: of each beginning as a translation.
        """
        results = []
        for row, continuations, log_prob in zip(self._rows, found, log_probs, strict=True):
            if row.is_whole or (row.labels and not continuations):
                continuations = [ScoredLabels([], log_prob)]
            results.append([ScoredLabels(row.labels + labels, score) for labels, score in continuations])
        return results
