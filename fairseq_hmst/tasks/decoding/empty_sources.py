"""Sources without content, such as an empty line: no search sees them, and their translation is empty."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import Tensor

from ...data.batch import Batch
from ...generators.hypothesis import GeneratedHypothesis, make_hypothesis

Value = TypeVar("Value")


def decode_but_empty(
    decode: Callable[..., list[list[GeneratedHypothesis]]],
    sample: Batch,
    options: Mapping[str, object],
    is_empty: Tensor,
    eos_index: int,
) -> list[list[GeneratedHypothesis]]:
    """Hypotheses of each source of a batch; an empty source has an empty one, with log-probability 0.

    Args:
        decode: from a batch and `options` to hypotheses.
        sample: the batch.
        options: keyword arguments of `decode`; tensors have a row a source.
        is_empty: (B,) bool, on the CPU.
        eos_index: id of end of sentence.
    """
    if not is_empty.any():
        return decode(sample, **options)
    found = iter(() if is_empty.all() else decode(_rows(sample, ~is_empty), **_rows(dict(options), ~is_empty)))
    return [[make_hypothesis([], 0.0, eos_index)] if empty else next(found) for empty in is_empty.tolist()]


def _rows(value: Value, rows: Tensor) -> Value:
    """Some rows of a tensor (B, ...), or of each value of a dictionary or list."""
    if isinstance(value, dict):
        return {name: _rows(item, rows) for name, item in value.items()}  # type: ignore[return-value]
    if isinstance(value, list):
        return [item for item, is_chosen in zip(value, rows.tolist(), strict=True) if is_chosen]  # type: ignore[return-value]
    return value[rows] if isinstance(value, Tensor) else value  # type: ignore[return-value]
