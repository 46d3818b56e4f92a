"""Batches of examples that may be several rows each; fairseq's own batching knows one row an example."""

import math

import numpy as np


def batches_of_rows(
    indices: np.ndarray,
    lengths: np.ndarray,
    num_rows: np.ndarray,
    max_tokens: int | None = None,
    max_rows: int | None = None,
    rows_multiple: int = 1,
) -> list[np.ndarray]:
    """Cut `indices` into batches, in their order and as large as the bounds allow; none is left out.

    Args:
        indices: (N,) examples.
        lengths: (N,) tokens to which an example's rows are at least padded.
        num_rows: (N,) rows that an example is.
        max_tokens: bound on a batch's rows times the longest of its lengths, which is its padded size.
        max_rows: bound on a batch's rows.
        rows_multiple: where a batch can have a multiple of this number of rows, it has.

    Raises:
        ValueError: an example alone is beyond a bound.
    """
    tokens_bound, rows_bound = max_tokens or math.inf, max_rows or math.inf
    all_lengths, all_rows = lengths.tolist(), num_rows.tolist()
    batches = []
    start = end = last_multiple = rows = longest = 0
    while end < len(indices):
        more_rows, longer = rows + all_rows[end], max(longest, all_lengths[end])
        if more_rows <= rows_bound and more_rows * longer <= tokens_bound:
            rows, longest, end = more_rows, longer, end + 1
            last_multiple = end if rows % rows_multiple == 0 else last_multiple
            continue
        if end == start:
            given = {"--max-tokens": max_tokens, "--batch-size": max_rows}
            raise ValueError(
                "an example does not fit into a batch of "
                f"{', '.join(f'{flag} {bound}' for flag, bound in given.items() if bound)}: with its text twin it is "
                f"{all_rows[end]} rows of {all_lengths[end]} tokens, {all_rows[end] * all_lengths[end]} tokens; raise "
                "the bound, or leave long examples out of the data"
            )
        end = last_multiple if last_multiple > start else end
        batches.append(indices[start:end])
        start = last_multiple = end
        rows = longest = 0
    return [*batches, indices[start:]] if start < len(indices) else batches
