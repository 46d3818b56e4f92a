"""The check of what models give to a search: NaN would end in an empty translation, or in any."""

import math

from torch import Tensor

from preprocess.errors import NotFiniteError


def check_log_probs(log_probs: Tensor, is_padding: Tensor | None = None) -> None:
    """Refuse log-probabilities of which one is NaN or +inf; -inf, probability zero, is none of these.

    Args:
        log_probs: (..., V).
        is_padding: (...), where they are not looked at; None: nowhere.

    Raises:
        NotFiniteError: there is one.
    """
    if log_probs.numel() == 0:
        return
    highest = log_probs.amax(-1)  # NaN where one is
    if is_padding is not None:
        highest = highest.masked_fill(is_padding, 0.0)
    if not bool((highest < math.inf).all()):
        raise NotFiniteError(
            "the model's probabilities are NaN or infinite",
            advice="decode in float32; if they still are, the training went wrong: take an earlier checkpoint",
        )
