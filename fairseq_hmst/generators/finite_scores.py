"""The check of what models give to a search: NaN would end in an empty translation, or in any."""

from __future__ import annotations

import torch
from torch import Tensor

from preprocess.errors import NotFiniteError


class FiniteScores:
    """Notes what a search is given, and tells at its end whether all of it was finite.

    So the host waits once for a GPU, and not at every step.
    """

    def __init__(self) -> None:
        self._are_finite: Tensor | None = None

    def note(self, log_probs: Tensor, is_padding: Tensor | None = None) -> Tensor:
        """Note log-probabilities (..., V); give where (...) the likeliest is finite, as it is without NaN and +inf.

        A label of probability zero, -inf, is finite enough, unless all of them are.

        Args:
            log_probs: on the device of the others that are noted here.
            is_padding: (...), where they are not looked at; None: nowhere.
        """
        are_finite = log_probs.amax(-1).abs() < torch.inf  # the largest is NaN where one is
        if is_padding is not None:
            are_finite |= is_padding
        all_are = are_finite.all()
        self._are_finite = all_are if self._are_finite is None else self._are_finite & all_are
        return are_finite

    def check(self) -> None:
        """Refuse what was noted.

        Raises:
            NotFiniteError: something is not finite.
        """
        if self._are_finite is not None and not bool(self._are_finite):
            raise NotFiniteError(
                "the model's probabilities are NaN or infinite",
                advice="decode in float32; if they still are, the training went wrong: take an earlier checkpoint",
            )


def check_log_probs(log_probs: Tensor, is_padding: Tensor | None = None) -> None:
    """Refuse log-probabilities (..., V) that are not finite; see `FiniteScores`.

    Raises:
        NotFiniteError: there is one.
    """
    scores = FiniteScores()
    scores.note(log_probs, is_padding)
    scores.check()


def padding_of(log_probs: Tensor, lengths: Tensor) -> Tensor:
    """Mask (B, T) of the frames of log-probabilities (B, T, V) beyond each length (B,)."""
    return torch.arange(log_probs.size(1), device=log_probs.device) >= lengths.unsqueeze(1)
