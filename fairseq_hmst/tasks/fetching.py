"""Fetching logged numbers from a GPU: all together, so that the host waits once."""

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
