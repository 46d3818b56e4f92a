"""Bounds of varied rows: encoder steps that CTC needs for their labels, and the longest row."""

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


def longest(sizes: np.ndarray, max_length: float) -> int:
    """The largest of sizes (N,) that is not above the length which a training takes; 0: none."""
    return int(sizes[sizes <= max_length].max(initial=0))


def fits(sizes: np.ndarray, max_length: int, needed: np.ndarray) -> np.ndarray:
    """Whether varied inputs may replace stored ones, (N,): they are short enough, and CTC has a path.

    Args:
        sizes: (N,) of the varied inputs.
        max_length: of the stored inputs; see `longest`.
        needed: (N,) steps; see `needed_steps`.
    """
    return (sizes <= max_length) & (sizes >= needed)
