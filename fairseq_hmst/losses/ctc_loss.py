"""The CTC loss of a batch, and which examples have a CTC path; the criterion weights and logs both."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def ctc_loss(
    log_probs: Tensor, targets: Tensor, source_lengths: Tensor, target_lengths: Tensor, blank_index: int
) -> Tensor:
    """Negative log-likelihood of `targets`, summed over all CTC alignments (Graves et al. 2006, ICML, eq. 3 and 8).

    An infeasible example (see `ctc_feasible`) has loss zero and gives zero gradient, where torch's own loss would be
    infinite with NaN gradients. Count such examples with `ctc_feasible`; `zero_infinity` stays off, so that a feasible
    example whose probability is zero still shows as an infinite loss.

    As torch does, the backward pass takes the log-probabilities for the output of a log-softmax: the gradient is exact
    for the logits below it, and not the partial derivative by a log-probability alone.

    Args:
        log_probs: (B, T, V) log-probabilities, float32 or float64, normalised over V by the caller.
        targets: (B, U) labels without blank and without end of sentence; entries at u >= target_lengths[b] are ignored.
        source_lengths: (B,) int64, valid encoder steps, each in 1..T.
        target_lengths: (B,) int64, valid labels, each in 0..U; 0 leaves the all-blank path.
        blank_index: id of the blank within V.

    Returns:
        (B,) losses in nats, not divided by length; frames beyond the lengths receive zero gradient.

    Raises:
        ValueError: a length or a label lies outside its range, or a target holds the blank.
    """
    _check_ranges(log_probs, targets, source_lengths, target_lengths, blank_index)
    feasible = ctc_feasible(targets, source_lengths, target_lengths)
    if len(feasible) > 0 and feasible.all():
        return _torch_ctc_loss(log_probs, targets, source_lengths, target_lengths, blank_index)
    # The sum over no element is zero and ties the result to the graph even where no example is feasible (or B is 0).
    losses = log_probs.new_zeros(len(log_probs)) + log_probs[:0].sum()
    if not feasible.any():
        return losses
    rows = feasible.nonzero().squeeze(1)
    feasible_losses = _torch_ctc_loss(
        log_probs[rows], targets[rows], source_lengths[rows], target_lengths[rows], blank_index
    )
    return losses.index_copy(0, rows, feasible_losses)


def ctc_feasible(targets: Tensor, source_lengths: Tensor, target_lengths: Tensor) -> Tensor:
    """Whether each example has a CTC path: one frame for each label, and a blank between adjacent equal labels.

    Args:
        targets: (B, U) labels without blank; entries at u >= target_lengths[b] are ignored.
        source_lengths: (B,) int64, valid encoder steps.
        target_lengths: (B,) int64, valid labels.

    Returns:
        (B,) bool, True where source_length >= target_length + number of adjacent equal labels.
    """
    is_repeat = (targets[:, 1:] == targets[:, :-1]) & _is_label(targets, target_lengths)[:, 1:]
    return source_lengths >= target_lengths + is_repeat.sum(1)


def _torch_ctc_loss(
    log_probs: Tensor, targets: Tensor, source_lengths: Tensor, target_lengths: Tensor, blank_index: int
) -> Tensor:
    return functional.ctc_loss(
        log_probs.transpose(0, 1),  # (B, T, V) -> (T, B, V)
        targets,
        source_lengths,
        target_lengths,
        blank=blank_index,
        reduction="none",
    )


def _is_label(targets: Tensor, target_lengths: Tensor) -> Tensor:
    return torch.arange(targets.size(1), device=targets.device) < target_lengths.unsqueeze(1)


def _check_ranges(
    log_probs: Tensor, targets: Tensor, source_lengths: Tensor, target_lengths: Tensor, blank_index: int
) -> None:
    num_frames, vocabulary_size = log_probs.shape[1:]
    _refuse("source_length", source_lengths, (source_lengths < 1) | (source_lengths > num_frames), f"1..{num_frames}")
    max_labels = targets.size(1)
    _refuse("target_length", target_lengths, (target_lengths < 0) | (target_lengths > max_labels), f"0..{max_labels}")
    is_wrong = (targets < 0) | (targets >= vocabulary_size) | (targets == blank_index)
    is_wrong &= _is_label(targets, target_lengths)
    _refuse("label", targets, is_wrong, f"0..{vocabulary_size - 1} without the blank {blank_index}")


def _refuse(name: str, values: Tensor, is_wrong: Tensor, expected: str) -> None:
    if is_wrong.any():
        example = int(is_wrong.nonzero()[0, 0])
        raise ValueError(f"example {example} of the batch: {name} must lie in {expected}, got {values[is_wrong][0]}")
