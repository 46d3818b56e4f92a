"""The RNN-T lattice: its valid positions, and the sum over all alignments with its gradient.

At position (t, u) of an utterance, t encoder steps are behind and u labels are out. Of the model this file needs two
numbers a position, log P(blank) and log P(next label); the other rnnt files compute them.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .checked_labels import CheckedLabels
from .first_derivative import first_derivative_only

# What is less probable counts as impossible: beside sums of such numbers, float64 would lose the others.
LOWEST_LOG_PROB = -1e6


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


def pack_positions(labels: CheckedLabels, num_steps: int, blank_index: int) -> LatticePositions:
    """List the valid positions of padded labels (B, U) and `num_steps` padded steps; the host waits for nothing."""
    num_positions = int((labels.on_host.source_lengths * (labels.on_host.target_lengths + 1)).sum())
    targets, source_lengths, target_lengths = labels.on_device
    num_counts = target_lengths + 1  # u is one of 0..target length
    sizes = source_lengths * num_counts
    utterances = torch.arange(len(sizes), device=sizes.device)
    utterance = utterances.repeat_interleave(sizes, output_size=num_positions)
    place = torch.arange(num_positions, device=sizes.device) - (sizes.cumsum(0) - sizes)[utterance]
    num_counts = num_counts[utterance]
    step = place // num_counts
    num_emitted = place - step * num_counts
    next_label = functional.pad(targets, (0, 1))[utterance, num_emitted]
    next_label.masked_fill_(num_emitted == num_counts - 1, blank_index)
    return LatticePositions(
        utterance, step, num_emitted, next_label, source_lengths, target_lengths, num_steps, targets.shape[1]
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
        inputs = (log_blank, log_label)
        # In float32, sums of hundreds of steps reach -1000 and more, and posteriors keep three digits.
        log_blank, log_label = log_blank.double(), log_label.double()
        cells = _Cells(positions)
        sums, lowest = _path_sums(log_blank, log_label, cells)
        sums = sums.flatten()
        log_likelihood = sums[cells.forward_end]
        log_likelihood.masked_fill_(log_likelihood < lowest, -torch.inf)
        before = sums[cells.start] - log_likelihood[positions.utterance]
        blank_use = torch.exp(before + log_blank + sums[cells.after_blank])
        label_use = torch.exp(before + log_label + sums[cells.after_label])
        uses = (_without_traces(blank_use.to(dtype)), _without_traces(label_use.to(dtype)))
        ctx.save_for_backward(*uses, positions.utterance, *inputs)
        return -log_likelihood.to(dtype)

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad_losses: Tensor) -> tuple[Tensor, Tensor, None]:
        blank_use, label_use, utterance, *_ = ctx.saved_tensors
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
    """Places of positions in a flattened lattice (U + 2, 2 B, T + 1), whose row u + 1 holds u.

    Columns 0..B-1 run forward from (0, 0). Columns B..2B-1 run backward from the end (source length, target length), as
    the forward lattice of the reversed utterance: (t, u) lies there at (source length - t, target length - u). Nothing
    reaches row 0: there, in the backward columns, a label after the last one would lead.
    """

    def __init__(self, positions: LatticePositions) -> None:
        num_utterances = len(positions.source_lengths)
        column_size = positions.num_steps + 1
        row_size = 2 * num_utterances * column_size
        self.shape = (positions.num_labels + 2, 2 * num_utterances, column_size)

        first = torch.arange(num_utterances, device=positions.source_lengths.device) * column_size + row_size
        self.forward_end = first + positions.target_lengths * row_size + positions.source_lengths  # (B,)

        behind = positions.num_emitted * row_size + positions.step  # from (0, 0) to (t, u)
        self.start = positions.utterance * column_size + row_size + behind  # (P,) (t, u) forward
        backward = (self.forward_end + num_utterances * column_size)[positions.utterance] - behind
        self.after_blank = backward - 1  # (P,) (t + 1, u) backward
        self.after_label = backward - row_size  # (P,) (t, u + 1) backward


def _path_sums(log_blank: Tensor, log_label: Tensor, cells: _Cells) -> tuple[Tensor, Tensor]:
    """Log of the summed probability of the paths from each column's corner to each cell: (U + 2, 2 B, T + 1).

    With S_u(t) the sum of log P(blank) over (0, u)..(t - 1, u), the sum at (t, u) is S_u(t) + log of the sum over
    s <= t of exp(sum at (s, u - 1) + log P(label) at (s, u - 1) - S_u(s)): a row at once, its sums kept relative to
    S_u. Differences of S need float64: it reaches -1e5, of which float64 keeps 1e-11.

    Returns:
        The sums, and a number, (): the sum of a possible path lies above it, that of an impossible one below.
    """
    lowest = _lowest_sum(log_blank, log_label, num_arcs=cells.shape[0] + cells.shape[2])
    blank = log_blank.new_zeros(cells.shape)
    _scatter(log_blank.masked_fill(log_blank < LOWEST_LOG_PROB, 2 * lowest), blank, cells.start, cells.after_blank)
    passed = torch.zeros_like(blank)  # S
    torch.cumsum(blank[:, :, :-1], 2, out=passed[:, :, 1:])
    label = torch.full_like(blank, -torch.inf)
    _scatter(log_label, label, cells.start, cells.after_label)
    label[1:-1] += passed[1:-1] - passed[2:]
    sums = torch.empty_like(blank)
    sums[0], sums[1] = -torch.inf, 0
    for arcs, below, row in zip(label[1:-1], sums[1:-1], sums[2:], strict=True):
        torch.logcumsumexp(below + arcs, 1, out=row)
    return sums.add_(passed), lowest


def _scatter(log_probs: Tensor, lattice: Tensor, forward: Tensor, backward: Tensor) -> None:
    """Put arcs where they leave a cell: forward from (t, u), backward from the cell that they lead to."""
    lattice.view(-1)[forward] = log_probs
    lattice.view(-1)[backward] = log_probs


def _lowest_sum(log_blank: Tensor, log_label: Tensor, num_arcs: int) -> Tensor:
    """A number below the sum of any `num_arcs` possible arcs, (); twice as much stands for an impossible one.

    -inf cannot: it would make NaN of a difference. What is far below the sums would cost their digits.
    """
    log_probs = torch.stack([log_blank, log_label])
    possible = torch.where(log_probs > LOWEST_LOG_PROB, log_probs, 0)  # without NaN, which is of one utterance
    return num_arcs * (possible.amin() if possible.numel() > 0 else possible.sum()) - 1000
