"""Rows of tokens in one array, as an epoch makes them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..batch import TokenRows


class FlatRows:
    """Rows of tokens, kept as int32 one after the other.

    Args:
        tokens: (M,) of all rows.
        sizes: (N,) tokens of each row; they sum to M.
    """

    def __init__(self, tokens: np.ndarray, sizes: np.ndarray) -> None:
        self.tokens = tokens.astype(np.int32, copy=False)
        self.sizes = sizes.astype(np.int32, copy=False)
        self._ends = np.cumsum(sizes, dtype=np.int64)

    @classmethod
    def of(cls, rows: Sequence[np.ndarray]) -> "FlatRows":
        """Gather rows."""
        sizes = np.array([len(row) for row in rows], dtype=np.int32)
        return cls(np.concatenate([np.zeros(0, dtype=np.int32), *rows]), sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, row: int) -> Tensor:
        return torch.from_numpy(self.array(row).astype(np.int64))

    @property
    def sums(self) -> np.ndarray:
        """Sum of each row, (N,) int64."""
        before = np.concatenate([[0], np.cumsum(self.tokens, dtype=np.int64)])
        return before[self._ends] - before[self._ends - self.sizes]

    def array(self, row: int) -> np.ndarray:
        """A row as int32, not to be changed."""
        end = int(self._ends[row])
        return self.tokens[end - int(self.sizes[row]) : end]


def inner_tokens(rows: TokenRows[Tensor], num_before: int, num_after: int) -> FlatRows:
    """The tokens of each row without those before and after its text."""
    return FlatRows.of(
        [row[num_before : len(row) - num_after].numpy() for row in map(rows.__getitem__, range(len(rows)))]
    )
