"""RNN-T losses: `rnnt_loss` from logits, and `fused_rnnt_loss` that never holds the logits of all positions.

Both reduce the joiner's output to two numbers a position and leave the sum over alignments to `rnnt_lattice.py`.
"""

import torch
from torch import Tensor

from .checked_labels import Labels, check_labels
from .rnnt_joiner import joiner_log_probs
from .rnnt_lattice import LatticePositions, lattice_loss, pack_positions


def rnnt_loss(
    logits: Tensor,
    targets: Tensor,
    source_lengths: Tensor,
    target_lengths: Tensor,
    blank_index: int,
    on_host: Labels | None = None,
) -> Tensor:
    """Negative log-likelihood of `targets`, summed over all monotone alignments (Graves 2012, arXiv:1211.3711).

    The readable reference: `fused_rnnt_loss` computes the same in less time and a fraction of the memory.

    Args:
        logits: (B, T, U + 1, V) unnormalised joiner outputs; half precision is normalised in float32.
        targets: (B, U) labels without blank; entries at u >= target_lengths[b] are ignored.
        source_lengths: (B,) valid encoder steps, each in 1..T.
        target_lengths: (B,) valid labels, each in 0..U; 0 leaves the all-blank path.
        blank_index: id of the blank within V.
        on_host: the same labels and lengths on the CPU, where the caller has them: the host then waits for nothing.

    Returns:
        (B,) losses in nats, not divided by length, float32 (float64 for float64 logits); positions beyond the lengths
        receive zero gradient. Infinite where no alignment is possible, and NaN, of its utterance alone, where a valid
        position has a NaN.

    Raises:
        TypeError: labels or lengths are of another type than integers.
        ValueError: a length or a label lies outside its range, a target holds the blank, or shapes disagree.
    """
    if logits.dim() != 4:
        raise ValueError(f"logits must be (B, T, U + 1, V), got shape {tuple(logits.shape)}")
    labels = Labels(targets, source_lengths, target_lengths)
    positions = _checked_positions(logits.shape, logits.device, labels, blank_index, on_host)
    log_probs = logits.log_softmax(dim=-1, dtype=torch.promote_types(logits.dtype, torch.float32))
    place = (positions.utterance, positions.step, positions.num_emitted)
    ids = torch.stack([torch.full_like(positions.next_label, blank_index), positions.next_label])
    log_blank, log_label = log_probs[*place, ids]
    return lattice_loss(log_blank, log_label, positions)


def fused_rnnt_loss(
    encoder_out: Tensor,
    predictor_out: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    source_lengths: Tensor,
    target_lengths: Tensor,
    blank_index: int,
    chunk_elements: int | None = None,
    on_host: Labels | None = None,
) -> Tensor:
    """`rnnt_loss` of logits that are never held whole: weight @ tanh(encoder_out[b, t] + predictor_out[b, u]) + bias.

    Exact: logits are made in chunks, for valid positions only, and made again in the backward pass where a position's
    posterior is not lost in rounding. Extra memory: the gradients, a few blocks of `chunk_elements` and some hundred
    bytes a position. Under autocast or with float16 or bfloat16 inputs the matrix products alone run in that type.

    Args:
        encoder_out: (B, T, J) projected encoder output.
        predictor_out: (B, U + 1, J) projected predictor output, its first step before any label.
        weight: (V, J) of the joiner's last layer.
        bias: (V,) of the same layer.
        targets: (B, U) labels without blank; entries at u >= target_lengths[b] are ignored.
        source_lengths: (B,) valid encoder steps, each in 1..T.
        target_lengths: (B,) valid labels, each in 0..U; 0 leaves the all-blank path.
        blank_index: id of the blank within V.
        chunk_elements: numbers in one block of logits, which sets speed and memory and leaves the result alone;
            None takes a value that suits the device. A block holds one position at least.
        on_host: as for `rnnt_loss`; on a GPU the backward pass waits once.

    Returns:
        (B,) losses in nats, not divided by length, float32 (float64 for float64 inputs); positions beyond the lengths
        receive zero gradient. NaN where a valid position has a NaN, as for `rnnt_loss`.

    Raises:
        TypeError: labels or lengths are of another type than integers.
        ValueError: a length or a label lies outside its range, a target holds the blank, or shapes disagree.
    """
    if chunk_elements is not None and chunk_elements < 1:
        raise ValueError(f"chunk_elements must be positive, got {chunk_elements}")
    shape = _joint_shape(encoder_out, predictor_out, weight, bias)
    labels = Labels(targets, source_lengths, target_lengths)
    positions = _checked_positions(shape, encoder_out.device, labels, blank_index, on_host)
    log_blank, log_label = joiner_log_probs(
        encoder_out, predictor_out, weight, bias, positions, blank_index, chunk_elements
    )
    return lattice_loss(log_blank, log_label, positions)


def _joint_shape(encoder_out: Tensor, predictor_out: Tensor, weight: Tensor, bias: Tensor) -> tuple[int, int, int, int]:
    """Shape (B, T, U + 1, V) of the logits that these would make."""
    tensors = (encoder_out, predictor_out, weight, bias)
    if (
        [tensor.dim() for tensor in tensors] != [3, 3, 2, 1]
        or encoder_out.shape[0] != predictor_out.shape[0]
        or not encoder_out.shape[2] == predictor_out.shape[2] == weight.shape[1]
        or weight.shape[0] != bias.shape[0]
    ):
        raise ValueError(
            "encoder_out, predictor_out, weight and bias must be (B, T, J), (B, U + 1, J), (V, J) and (V,), "
            f"got shapes {', '.join(str(tuple(tensor.shape)) for tensor in tensors)}"
        )
    return encoder_out.shape[0], encoder_out.shape[1], predictor_out.shape[1], weight.shape[0]


def _checked_positions(
    shape: tuple[int, ...], device: torch.device, labels: Labels, blank_index: int, on_host: Labels | None
) -> LatticePositions:
    """Valid positions of logits of `shape` (B, T, U + 1, V); lengths and labels are checked first."""
    num_utterances, num_steps, num_counts, _ = shape
    if labels.targets.shape != (num_utterances, num_counts - 1):
        raise ValueError(
            f"targets must be (B, U) = {(num_utterances, num_counts - 1)} to fit U + 1 = {num_counts} "
            f"predictor steps, got shape {tuple(labels.targets.shape)}"
        )
    return pack_positions(check_labels(shape, device, labels, blank_index, on_host), num_steps, blank_index)
