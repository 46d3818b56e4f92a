"""The RNN-T lattice: its valid positions, and the sum over all alignments with its gradient.

At position (t, u) of an utterance, t encoder steps are behind and u labels are out. Of the model this file needs two
numbers a position, log P(blank) and log P(next label); the other rnnt files compute them.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


@dataclass(frozen=True)
class LatticePositions:
    """The P valid positions of a batch of B utterances: t < source length, u <= target length; all tensors int64."""

    utterance: Tensor  # (P,) ascending
    step: Tensor  # (P,) t, ascending within an utterance
    num_emitted: Tensor  # (P,) u
    next_label: Tensor  # (P,) label u of the utterance; the blank where all labels are out
    source_lengths: Tensor  # (B,)
    target_lengths: Tensor  # (B,)
    num_steps: int  # T
    num_labels: int  # U


def pack_positions(
    targets: Tensor, source_lengths: Tensor, target_lengths: Tensor, num_steps: int, blank_index: int
) -> LatticePositions:
    """List the valid positions of padded targets (B, U) and `num_steps` padded steps; all int64 and on one device."""
    num_labels = targets.shape[1]
    steps = torch.arange(num_steps, device=targets.device)
    counts = torch.arange(num_labels + 1, device=targets.device)
    is_step = steps < source_lengths[:, None]
    is_count = counts <= target_lengths[:, None]
    utterance, step, num_emitted = (is_step[:, :, None] & is_count[:, None, :]).nonzero(as_tuple=True)
    is_complete = num_emitted == target_lengths[utterance]
    labels = torch.nn.functional.pad(targets, (0, 1))
    next_label = labels[utterance, num_emitted].masked_fill(is_complete, blank_index)
    return LatticePositions(
        utterance, step, num_emitted, next_label, source_lengths, target_lengths, num_steps, num_labels
    )


def lattice_loss(log_blank: Tensor, log_label: Tensor, positions: LatticePositions) -> Tensor:
    """Negative log of the summed probability of all alignments (Graves 2012, arXiv:1211.3711, eq. 16-18).

    Args:
        log_blank: (P,) log P(blank) at each of `positions`.
        log_label: (P,) log P(next label), likewise; ignored where all labels are out.

    Returns:
        (B,) losses in nats, of the type of `log_blank`; the sums themselves are float64.
    """
    return _LatticeLoss.apply(log_blank, log_label, positions)


class _LatticeLoss(torch.autograd.Function):
    """The loss as a function of arcs: its gradient by log P(arc) is minus the posterior of the arc."""

    @staticmethod
    def forward(ctx: Any, log_blank: Tensor, log_label: Tensor, positions: LatticePositions) -> Tensor:
        dtype = log_blank.dtype
        # In float32, sums of hundreds of steps reach -1000 and more, and posteriors keep three digits.
        log_blank, log_label = log_blank.double(), log_label.double()
        cells = _Cells(positions)
        sums = _path_sums(log_blank, log_label, cells).flatten()
        log_likelihood = sums[cells.forward_end]
        before = sums[cells.start] - log_likelihood[positions.utterance]
        blank_use = torch.exp(before + log_blank + sums[cells.after_blank])
        label_use = torch.exp(before + log_label + sums[cells.after_label])
        ctx.save_for_backward(
            _without_traces(blank_use.to(dtype)), _without_traces(label_use.to(dtype)), positions.utterance
        )
        return -log_likelihood.to(dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_losses: Tensor) -> tuple[Tensor, Tensor, None]:
        blank_use, label_use, utterance = ctx.saved_tensors
        grad = -grad_losses[utterance]
        return grad * blank_use, grad * label_use, None


def _without_traces(use: Tensor) -> Tensor:
    """Posterior probabilities (P,), those below the square of the rounding unit set to zero.

    The blanks' posteriors of one step sum to 1, as one label's do, so nothing that float32 could show goes missing.
    Positions without a trace need no work, and products with subnormal numbers, which take many CPUs a hundred times
    longer, do not arise.
    """
    return use.masked_fill(use < torch.finfo(use.dtype).eps ** 2, 0)


class _Cells:
    """Places of positions in a flattened lattice (T + U + 1, 2 B, U + 2) of diagonals; (t, u) is on t + u.

    Rows 0..B-1 run forward from (0, 0). Rows B..2B-1 run backward from the end (source length, target length), as
    the forward lattice of the reversed utterance: (t, u) lies there at (source length - t, target length - u).
    Column u + 1 holds u. Nothing reaches column 0: there, in the backward rows, a label after the last one would lead.
    """

    def __init__(self, positions: LatticePositions) -> None:
        num_utterances = len(positions.source_lengths)
        last_diagonal = positions.source_lengths + positions.target_lengths
        num_columns = positions.num_labels + 2
        self.shape = (positions.num_steps + positions.num_labels + 1, 2 * num_utterances, num_columns)

        def flat(diagonal: Tensor, row: Tensor, column: Tensor) -> Tensor:
            return (diagonal * self.shape[1] + row) * num_columns + column

        utterances = torch.arange(num_utterances, device=last_diagonal.device)
        self.forward_end = flat(last_diagonal, utterances, positions.target_lengths + 1)  # (B,)

        row, num_emitted = positions.utterance, positions.num_emitted
        diagonal = positions.step + num_emitted
        self.start = flat(diagonal, row, num_emitted + 1)  # (P,) (t, u) in the forward lattice

        diagonal = last_diagonal[row] - diagonal - 1
        num_missing = positions.target_lengths[row] - num_emitted
        self.after_blank = flat(diagonal, row + num_utterances, num_missing + 1)  # (P,) (t + 1, u) in the backward one
        self.after_label = flat(diagonal, row + num_utterances, num_missing)  # (P,) (t, u + 1) in the backward one


def _path_sums(log_blank: Tensor, log_label: Tensor, cells: _Cells) -> Tensor:
    """Log of the summed probability of the paths from each row's corner to each cell: (T + U + 1, 2 B, U + 2)."""
    blank = _scattered(log_blank, cells.start, cells.after_blank, cells.shape)
    label = _scattered(log_label, cells.start, cells.after_label, cells.shape)
    sums = torch.full_like(blank, -torch.inf)
    sums[0, :, 1] = 0
    for diagonal in range(1, len(sums)):
        previous = diagonal - 1
        stay = sums[previous, :, 1:] + blank[previous, :, 1:]
        advance = sums[previous, :, :-1] + label[previous, :, :-1]
        torch.logaddexp(stay, advance, out=sums[diagonal, :, 1:])
    return sums


def _scattered(log_probs: Tensor, forward: Tensor, backward: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Arcs where they leave a cell: forward from (t, u), backward from the cell that they lead to."""
    lattice = log_probs.new_full(shape, -torch.inf)
    lattice.view(-1)[forward] = log_probs
    lattice.view(-1)[backward] = log_probs
    return lattice
