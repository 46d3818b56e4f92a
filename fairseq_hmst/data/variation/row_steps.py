"""Encoder steps that CTC needs for the labels of rows: which inputs have as many."""

from typing import TYPE_CHECKING

import numpy as np

from preprocess.files.tokens.ctc_steps import is_repeated

from ..flat_rows import FlatRows, inner_tokens
from ..language_symbols import LanguageSymbolIds

if TYPE_CHECKING:
    from ..stream_rows import StreamRows


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


def needed_steps(stream: "StreamRows", language_symbols: LanguageSymbolIds) -> np.ndarray:
    """Steps for the labels of each row, (N,): of translation or transcript, whichever needs more."""
    labels = [(stream.targets, language_symbols.num_target_symbols), (stream.transcripts, 0)]
    steps = [steps_of_rows(inner_tokens(rows, before, 1)) for rows, before in labels if rows is not None]
    return np.max([np.zeros(len(stream.sources), dtype=np.int64), *steps], axis=0)


def fits(sizes: np.ndarray, stored_sizes: np.ndarray, needed: np.ndarray) -> np.ndarray:
    """Whether varied inputs may replace stored ones, (N,): CTC has a path, and none exceeds the longest stored one.

    Args:
        sizes: (N,) of the varied inputs.
        stored_sizes: (N,) of the stored ones, of which the longest bounds them.
        needed: (N,) steps; see `needed_steps`.
    """
    return (sizes <= stored_sizes.max(initial=0)) & (sizes >= needed)
