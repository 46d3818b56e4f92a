"""The CTC loss of a batch, and which examples have a CTC path; the criterion weights and logs both."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .checked_labels import Labels, check_labels


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    source_lengths: Tensor,
    target_lengths: Tensor,
    blank_index: int,
    on_host: Labels | None = None,
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
        source_lengths: (B,) valid encoder steps, each in 1..T.
        target_lengths: (B,) valid labels, each in 0..U; 0 leaves the all-blank path.
        blank_index: id of the blank within V.
        on_host: the same labels and lengths on the CPU, where the caller has them: the host then waits for nothing.

    Returns:
        (B,) losses in nats, not divided by length; frames beyond the lengths receive zero gradient.

    Raises:
        TypeError: labels or lengths are of another type than integers.
        ValueError: a length or a label lies outside its range, a target holds the blank, or shapes disagree.
    """
    given = Labels(targets, source_lengths, target_lengths)
    labels = check_labels(log_probs.shape, log_probs.device, given, blank_index, on_host)
    if len(log_probs) == 0:
        return log_probs.flatten(1).sum(1)
    _, source_lengths, target_lengths = labels.on_host  # where torch wants lengths
    feasible = ctc_feasible(*labels.on_host)
    if not feasible.all():
        # without labels, and where every step is certain, the loss is zero
        target_lengths = target_lengths.where(feasible, 0)
        infeasible = ctc_feasible(*labels.on_device).logical_not()
        log_probs = log_probs.masked_fill(infeasible[:, None, None], 0.0)
    return functional.ctc_loss(
        log_probs.transpose(0, 1),  # (B, T, V) -> (T, B, V)
        labels.on_device.targets,
        source_lengths,
        target_lengths,
        blank=blank_index,
        reduction="none",
    )


def ctc_feasible(targets: Tensor, source_lengths: Tensor, target_lengths: Tensor) -> Tensor:
    """Whether each example has a CTC path: one frame for each label, and a blank between adjacent equal labels.

    Args:
        targets: (B, U) labels without blank; entries at u >= target_lengths[b] are ignored.
        source_lengths: (B,) int64, valid encoder steps.
        target_lengths: (B,) int64, valid labels.

    Returns:
        (B,) bool, True where source_length >= target_length + number of adjacent equal labels.
    """
    is_label = torch.arange(targets.size(1), device=targets.device) < target_lengths.unsqueeze(1)
    is_repeat = (targets[:, 1:] == targets[:, :-1]) & is_label[:, 1:]
    return source_lengths >= target_lengths + is_repeat.sum(1)
