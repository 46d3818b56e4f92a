"""Repetition of source text: each token is written several times, so that text is about as long as speech."""

from typing import TypeVar

import numpy as np

Tokens = TypeVar("Tokens", np.ndarray, list[str])


def repeat_tokens(tokens: np.ndarray, repeat: int | np.ndarray) -> np.ndarray:
    """Each of (S,) tokens `repeat` times, (S * repeat,), or each as often as (S,) `repeat` says."""
    return np.repeat(tokens, repeat)


def tokens_once(repeated: Tokens, repeat: int) -> Tokens:
    """Inverse of `repeat_tokens`: (S * repeat,) to (S,)."""
    return repeated[::repeat]
