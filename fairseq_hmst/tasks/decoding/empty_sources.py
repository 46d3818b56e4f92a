"""Sources without content, such as an empty line: no search sees them, and their translation is empty."""

from collections.abc import Callable, Mapping

from torch import Tensor

from ...data.batch import Batch, rows_of
from ...generators.hypothesis import GeneratedHypothesis, make_hypothesis


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
    found = iter(() if is_empty.all() else decode(rows_of(sample, ~is_empty), **rows_of(dict(options), ~is_empty)))
    return [[make_hypothesis([], 0.0, eos_index)] if empty else next(found) for empty in is_empty.tolist()]
