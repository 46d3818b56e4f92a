"""The part of an ensemble that looks at its scores: each step notes on the device whether they are finite."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from .finite_scores import FiniteScores, check_log_probs

if TYPE_CHECKING:
    from torch import Tensor

# Of the search that goes on in a thread; None outside of a CheckedSearch
scores_of_search: ContextVar[FiniteScores | None] = ContextVar("finite_scores", default=None)


class CheckedEnsemble:
    """The part of an ensemble that looks at its scores."""

    def look_at(self, log_probs: Tensor) -> None:
        """Note log-probabilities (N, V); rows that are not finite become 0, with which any search can go on.

        Raises:
            NotFiniteError: one is NaN or infinite, and no `CheckedSearch` would tell.
        """
        finite_scores = scores_of_search.get()
        if finite_scores is None:
            check_log_probs(log_probs)
        else:
            log_probs.masked_fill_(~finite_scores.note(log_probs).unsqueeze(1), 0.0)
