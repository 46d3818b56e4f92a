"""Encoder steps that CTC needs: for the beginnings of a row of labels, and for many rows."""

import numpy as np

from preprocess.files.tokens.ctc_steps import is_repeated

from .flat_rows import FlatRows


def steps_of_prefixes(labels: np.ndarray) -> np.ndarray:
    """Steps for the first 0 to U of labels (U,), (U + 1,)."""
    return np.concatenate([[0], np.cumsum(1 + is_repeated(labels))])


def steps_of_rows(rows: FlatRows) -> np.ndarray:
    """Steps for the labels of each row, (N,)."""
    is_repeat = np.pad(is_repeated(rows.tokens).astype(np.int64), (0, 1))
    ends = np.cumsum(rows.sizes, dtype=np.int64)
    is_repeat[ends[rows.sizes > 0] - rows.sizes[rows.sizes > 0]] = 0  # a row does not repeat the row before it
    before = np.concatenate([[0], np.cumsum(is_repeat)])
    return rows.sizes + before[ends] - before[ends - rows.sizes]
