"""Label-smoothed cross-entropy, one value an example."""

import torch
from torch import Tensor


def label_smoothed_cross_entropy(
    log_probs: Tensor, targets: Tensor, label_smoothing: float, padding_index: int
) -> tuple[Tensor, Tensor]:
    """Cross-entropy against (1 - epsilon) * one-hot + epsilon * uniform (Szegedy et al. 2016, arXiv:1512.00567).

    Args:
        log_probs: (B, U, V) normalised log-probabilities.
        targets: (B, U) labels; positions that hold `padding_index` count nothing.
        label_smoothing: epsilon in [0, 1).
        padding_index: id of padding within V.

    Returns:
        (B,) smoothed losses and (B,) plain negative log-likelihoods, both in nats and summed over U.

    Raises:
        ValueError: label_smoothing lies outside [0, 1).
    """
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"label_smoothing must lie in [0, 1), got {label_smoothing}")
    padding_mask = targets.eq(padding_index)
    target_log_probs = log_probs.gather(-1, targets.unsqueeze(-1)).squeeze(-1).masked_fill(padding_mask, 0.0)
    nll = -target_log_probs.sum(-1)
    if label_smoothing == 0:
        return nll, nll.detach()
    uniform_log_probs = log_probs.mean(-1).masked_fill(padding_mask, 0.0)
    loss = (1 - label_smoothing) * nll - label_smoothing * uniform_log_probs.sum(-1)
    return loss, nll.detach()


def count_correct(log_probs: Tensor, targets: Tensor, padding_index: int) -> Tensor:
    """Number of labels of each example with the highest score, (B,) int64, of labels (B, U) and scores (B, U, V)."""
    return (log_probs.argmax(-1).eq(targets) & targets.ne(padding_index)).sum(-1)


def count_labels(targets: Tensor, padding_index: int) -> Tensor:
    """Labels of each example without padding: (B,) int64."""
    return torch.count_nonzero(targets.ne(padding_index), dim=-1)
