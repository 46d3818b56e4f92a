"""The check that numbers of a file are finite: weights, centroids, frames; on reading and on writing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...errors import NotFiniteError

if TYPE_CHECKING:
    from torch import Tensor


def check_finite(
    tensors: Mapping[str, np.ndarray] | Mapping[str, Tensor], place: object = "", advice: str = ""
) -> None:
    """Refuse tensors with NaN or infinite values.

    Args:
        tensors: by name.
        place: the file that they are in, or are to be written to.
        advice: what to do.

    Raises:
        NotFiniteError: names the first such tensor, its first such row, and the number of others.
    """
    bad = [name for name, values in tensors.items() if not is_finite(values)]
    if bad:
        values = tensors[bad[0]]
        where = f" in row {first_bad_row(values)} of {len(values)}" if values.ndim > 1 else ""
        others = f", and so do {len(bad) - 1} other tensors" if len(bad) > 1 else ""
        raise NotFiniteError(f"{bad[0]} holds NaN or infinite values{where}{others}", place=place, advice=advice)


def first_bad_row(values: np.ndarray | Tensor) -> int:
    """The first row, counted from 0, of (N, ...) that holds NaN or infinite values; -1: none does."""
    return next((row for row in range(len(values)) if not is_finite(values[row])), -1)


def is_finite(values: np.ndarray | np.floating | Tensor) -> bool:
    """Whether all values are finite; whole numbers are."""
    if isinstance(values, np.ndarray | np.floating):
        with np.errstate(invalid="ignore"):
            # no array of the same size is made; NaN is both the lowest and the highest
            return values.size == 0 or bool(np.isfinite(values.min()) and np.isfinite(values.max()))
    if values.numel() == 0 or not values.is_floating_point():
        return True
    lowest, highest = values.detach().aminmax()
    return bool(lowest.isfinite() & highest.isfinite())
