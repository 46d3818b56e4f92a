"""Rows of tokens in memory, as an indexed dataset of fairseq gives them."""

from collections.abc import Sequence

import numpy as np
import torch


class Rows(list):
    """A list of int64 tensors that knows their sizes."""

    @property
    def sizes(self) -> np.ndarray:
        return np.array([len(row) for row in self], dtype=np.int32)


def rows_of(*rows: Sequence[int]) -> Rows:
    """Rows of the given tokens."""
    return Rows(torch.tensor(row) for row in rows)
