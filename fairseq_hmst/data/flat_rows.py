"""Rows of tokens in one array, as an epoch makes them."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from .batch import TokenRows


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
    def of(cls, rows: Iterable[np.ndarray]) -> "FlatRows":
        """Gather rows."""
        arrays = list(rows)
        sizes = np.array([len(row) for row in arrays], dtype=np.int32)
        return cls(np.concatenate([np.zeros(0, dtype=np.int32), *arrays]), sizes)

    @classmethod
    def of_rows(cls, rows: TokenRows[Tensor]) -> "FlatRows":
        """Gather rows of tensors; rows that are flat are returned as they are."""
        return rows if isinstance(rows, cls) else cls.of(rows[row].numpy() for row in range(len(rows)))

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

    def take(self, rows: np.ndarray, num_before: int = 0, num_after: int = 0) -> "FlatRows":
        """Some rows (R,) in another order, without their first and last tokens."""
        sizes = self.sizes[rows].astype(np.int64) - num_before - num_after
        starts = self._ends[rows] - num_after - sizes
        places = np.arange(sizes.sum()) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        return FlatRows(self.tokens[places], sizes)

    def with_rows(self, places: np.ndarray, rows: "FlatRows") -> "FlatRows":
        """All rows, with others (R,) in some places (R,)."""
        both = FlatRows(np.concatenate([self.tokens, rows.tokens]), np.concatenate([self.sizes, rows.sizes]))
        chosen = np.arange(len(self))
        chosen[places] = len(self) + np.arange(len(rows))
        return both.take(chosen)


def inner_tokens(rows: TokenRows[Tensor], num_before: int, num_after: int) -> FlatRows:
    """The tokens of each row without those before and after its text."""
    return FlatRows.of_rows(rows).take(np.arange(len(rows)), num_before, num_after)
