"""Paths of CTC over given beginnings: probabilities of all of them, or of the best one, frame by frame.

Notation as in `ctc_prefix`, whose recursion this is for one known label sequence an utterance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ..beginnings import Beginnings
from .ctc_prefix import first_order_recursion


class PathAlgebra(NamedTuple):
    """Joins log-probabilities of alternative paths: their sum, or the best."""

    join: Callable[[Tensor, Tensor], Tensor]  # of two
    accumulate: Callable[[Tensor, int], Tensor]  # of all up to each place of a dimension


ALL_PATHS = PathAlgebra(torch.logaddexp, torch.logcumsumexp)
BEST_PATH = PathAlgebra(torch.maximum, lambda terms, dim: terms.cummax(dim).values)


class BegunPaths(NamedTuple):
    """Log-probabilities of the paths whose labels are an utterance's beginning, float64.

    Attributes:
        log_entry: (B, T), of those that come to its last label in frame t.
        log_nonblank, log_blank: (B, T + 1), of those over t frames that end in its last label, or in blank.
    """

    log_entry: Tensor
    log_nonblank: Tensor
    log_blank: Tensor


def begun_paths(log_probs: Tensor, blank_index: int, beginnings: Beginnings, algebra: PathAlgebra) -> BegunPaths:
    """Paths of each utterance's beginning.

    Args:
        log_probs: (B, T, V); frames beyond an utterance's length are blank with probability one.
        blank_index: id of the blank within V.
        beginnings: B of them.
        algebra: ALL_PATHS or BEST_PATH.
    """
    log_p_blank = log_probs[:, :, blank_index].double()
    log_blank = torch.nn.functional.pad(log_p_blank.cumsum(1), (1, 0))
    log_nonblank = torch.full_like(log_blank, -torch.inf)
    paths = BegunPaths(torch.full_like(log_p_blank, -torch.inf), log_nonblank, log_blank)
    last_labels = torch.full_like(beginnings.lengths, -1)
    for place, labels in enumerate(beginnings.labels.unbind(1)):
        is_repeat = (labels == last_labels).unsqueeze(1)
        log_phi = torch.where(is_repeat, paths.log_blank, algebra.join(paths.log_nonblank, paths.log_blank))
        log_p = log_probs.gather(2, labels.view(-1, 1, 1).expand(-1, log_probs.size(1), 1)).squeeze(2).double()
        log_nonblank = first_order_recursion(log_p, log_phi, algebra.accumulate)
        log_blank = first_order_recursion(log_p_blank, log_nonblank, algebra.accumulate)
        longer = (log_p + log_phi[:, :-1], log_nonblank, log_blank)
        is_longer = (place < beginnings.lengths).unsqueeze(1)
        paths = BegunPaths(*(torch.where(is_longer, *each) for each in zip(longer, paths, strict=True)))
        last_labels = labels
    return paths


class BestBeginnings(NamedTuple):
    """Frames at which the best path leaves each beginning.

    Attributes:
        last_frames: (B,) frame of the first of its last label, after which all is free; the last frame of one after
            which nothing is; -1 of an empty one.
        log_probs: (B,) float64, of the path up to there.
    """

    last_frames: Tensor
    log_probs: Tensor


def best_beginnings(
    log_probs: Tensor, blank_index: int, beginnings: Beginnings, free_log_probs: Tensor
) -> BestBeginnings:
    """The best path among those whose labels begin as they must: its part before all is free.

    Args:
        log_probs, blank_index, beginnings: see `begun_paths`.
        free_log_probs: (B, T) float64, of the best symbol of each frame.
    """
    paths = begun_paths(log_probs, blank_index, beginnings, BEST_PATH)
    log_after = free_log_probs.sum(1, keepdim=True) - free_log_probs.cumsum(1)
    last_frames = (paths.log_entry + log_after).argmax(1)
    log_best = paths.log_entry.gather(1, last_frames.unsqueeze(1)).squeeze(1)
    log_whole = torch.maximum(paths.log_nonblank[:, -1], paths.log_blank[:, -1])
    ends_there = beginnings.are_whole | (log_whole == -torch.inf)  # or is impossible
    last_frames = torch.where(ends_there, log_probs.size(1) - 1, last_frames)
    log_best = torch.where(ends_there, log_whole, log_best)
    is_empty = ~beginnings.are_given
    return BestBeginnings(last_frames.masked_fill(is_empty, -1), log_best.masked_fill(is_empty, 0.0))
