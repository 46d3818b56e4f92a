"""Labels and lengths of a batch, checked on the host before a loss uses them."""

from typing import NamedTuple

import torch
from torch import Tensor


class Labels(NamedTuple):
    """Targets and lengths of B examples."""

    targets: Tensor  # (B, U)
    source_lengths: Tensor  # (B,)
    target_lengths: Tensor  # (B,)


class CheckedLabels(NamedTuple):
    """The same labels, int64, on the device of a loss and on the host."""

    on_device: Labels
    on_host: Labels


def check_labels(
    scores_shape: tuple[int, ...], device: torch.device, labels: Labels, blank_index: int, on_host: Labels | None
) -> CheckedLabels:
    """Check the labels of a batch.

    Each tensor may be on the CPU or on `device`. The host waits once for all that is on a GPU, and for nothing if all
    is on the CPU, or known there.

    Args:
        scores_shape: (B, T, ..., V) of what the loss is computed from.
        device: that of the scores.
        labels: each source length must lie in 1..T, each target length in 0..U, and each label in 0..V - 1; entries of
            the targets at u >= target_lengths[b] are ignored.
        blank_index: id of the blank within V, which no label may be.
        on_host: the same labels on the CPU, where the caller has them.

    Raises:
        TypeError: labels or lengths are of another type than integers.
        ValueError: a length, a label or the blank lies outside its range, or shapes disagree.
    """
    num_examples, num_steps, vocabulary_size = scores_shape[0], scores_shape[1], scores_shape[-1]
    for given in (labels, on_host or labels):
        _check_types_and_shapes(given, num_examples)
    if not 0 <= blank_index < vocabulary_size:
        raise ValueError(f"blank_index must lie in 0..{vocabulary_size - 1}, got {blank_index}")
    host = _on_host(on_host or labels)
    num_labels = host.targets.shape[1]
    for name, lengths, low, high in (
        ("source_lengths", host.source_lengths, 1, num_steps),
        ("target_lengths", host.target_lengths, 0, num_labels),
    ):
        _refuse(name, lengths, (lengths < low) | (lengths > high), f"{low}..{high}")
    is_wrong = (host.targets < 0) | (host.targets >= vocabulary_size) | (host.targets == blank_index)
    is_wrong &= torch.arange(num_labels) < host.target_lengths[:, None]
    _refuse("targets", host.targets, is_wrong, f"a label in 0..{vocabulary_size - 1} without the blank {blank_index}")
    on_device = Labels(*(tensor.to(device, torch.int64, non_blocking=True) for tensor in labels))
    return CheckedLabels(on_device, host)


def _check_types_and_shapes(labels: Labels, num_examples: int) -> None:
    for name, tensor in labels._asdict().items():
        if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
            raise TypeError(f"{name} must be integers, got {tensor.dtype}")
    if labels.targets.dim() != 2 or len(labels.targets) != num_examples:
        raise ValueError(f"targets must be (B, U) with B = {num_examples}, got shape {tuple(labels.targets.shape)}")
    for name, lengths in (("source_lengths", labels.source_lengths), ("target_lengths", labels.target_lengths)):
        if lengths.shape != (num_examples,):
            raise ValueError(f"{name} must be (B,) = ({num_examples},), got shape {tuple(lengths.shape)}")


def _on_host(labels: Labels) -> Labels:
    """Copies on the CPU, int64; those on a GPU come together, so that the host waits once."""
    on_gpu = [tensor for tensor in labels if tensor.device.type != "cpu"]
    fetched = torch.cat([tensor.flatten().to(torch.int64) for tensor in on_gpu]).cpu() if on_gpu else torch.empty(0)
    parts = iter(fetched.split([tensor.numel() for tensor in on_gpu]))
    return Labels(
        *(tensor.long() if tensor.device.type == "cpu" else next(parts).view(tensor.shape) for tensor in labels)
    )


def _refuse(name: str, values: Tensor, is_wrong: Tensor, expected: str) -> None:
    if is_wrong.any():
        place = is_wrong.nonzero()[0].tolist()
        raise ValueError(f"{name}{place} is {int(values[tuple(place)])}, expected {expected}")
