"""Weights of examples by their stream, and sums over the examples of each stream."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def by_stream(stream: Tensor, values: Sequence[float], dtype: torch.dtype) -> Tensor:
    """Value of each example's stream, (B,), on the device of `stream`; nothing is sent there.

    Args:
        stream: (B,) numbers of streams.
        values: of each number.
    """
    found = torch.zeros_like(stream, dtype=dtype)
    for number, value in enumerate(values):
        found = found.masked_fill(stream == number, value)
    return found


def sums_by_stream(values: Mapping[str, Tensor], shares: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Sums over examples, such as `st_loss` of `loss`, all of them from one table.

    Args:
        values: name -> (B,).
        shares: stream -> (B,) how much each example counts in its sums.
    """
    sums: dict[str, Tensor] = {}
    for stream, share in shares.items():
        table = torch.stack([numbers.detach().to(share.dtype) for numbers in values.values()])
        sums |= zip((f"{stream}_{name}" for name in values), (table * share).sum(-1).unbind(), strict=True)
    return sums
