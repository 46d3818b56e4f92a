"""Fetching from a GPU: many tensors together, so that the host waits once."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def fetch_numbers(logging_outputs: Sequence[Mapping[str, Tensor | float]]) -> list[dict[str, float]]:
    """Logged numbers, as those of Python."""
    tensors = [value for log in logging_outputs for value in log.values() if isinstance(value, Tensor)]
    numbers = iter(torch.stack(tensors).tolist() if tensors else [])
    return [
        {name: next(numbers) if isinstance(value, Tensor) else value for name, value in log.items()}
        for log in logging_outputs
    ]


def fetch_tokens(rows: Sequence[Tensor]) -> list[Tensor]:
    """Rows of tokens, on the CPU; each has its own length, and some may be there already."""
    on_gpu = [row for row in rows if row.device.type != "cpu"]
    if not on_gpu:
        return list(rows)
    fetched = iter(torch.cat(on_gpu).cpu().split([len(row) for row in on_gpu]))
    return [row if row.device.type == "cpu" else next(fetched) for row in rows]
