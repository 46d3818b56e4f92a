"""The joiner's two log probabilities a position, log P(blank) and log P(next label), from logits made chunk by chunk.

A (chunk, V) block of logits lives only until its two columns are read; the backward pass makes it a second time. That
is four matrix products of P x J x V at most, where keeping the logits takes three and P x V of memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .rnnt_lattice import LatticePositions

# By default a block of logits holds about this many numbers, so that it stays in a CPU's cache or fills a GPU ...
CPU_CHUNK_ELEMENTS = 2**20
GPU_CHUNK_ELEMENTS = 2**24
# ... and no fewer positions than this, so that adding up the (V, J) gradient once a block does not dominate.
MIN_CHUNK_POSITIONS = 256


@dataclass(frozen=True)
class _Plan:
    encoder_rows: Tensor  # (P,) rows of the (B * T, J) encoder output
    predictor_rows: Tensor  # (P,) rows of the (B * (U + 1), J) predictor output
    labels: Tensor  # (P,)
    blank_index: int
    positions_per_chunk: int
    product_dtype: torch.dtype
    sum_dtype: torch.dtype  # of softmax and accumulated gradients: float32 or float64


def joiner_log_probs(
    encoder_out: Tensor,
    predictor_out: Tensor,
    weight: Tensor,
    bias: Tensor,
    positions: LatticePositions,
    blank_index: int,
    chunk_elements: int | None,
) -> tuple[Tensor, Tensor]:
    """(P,) log P(blank) and (P,) log P(next label) at `positions`; arguments as those of `fused_rnnt_loss`."""
    product_dtype = _product_dtype(encoder_out, predictor_out, weight, bias)
    plan = _Plan(
        encoder_rows=positions.utterance * encoder_out.shape[1] + positions.step,
        predictor_rows=positions.utterance * predictor_out.shape[1] + positions.num_emitted,
        labels=positions.next_label,
        blank_index=blank_index,
        positions_per_chunk=_positions_per_chunk(weight, chunk_elements),
        product_dtype=product_dtype,
        sum_dtype=torch.promote_types(product_dtype, torch.float32),
    )
    return _JoinerLogProbs.apply(encoder_out.flatten(0, 1), predictor_out.flatten(0, 1), weight, bias, plan)


def _positions_per_chunk(weight: Tensor, chunk_elements: int | None) -> int:
    if chunk_elements is not None:
        return max(1, chunk_elements // max(weight.shape))
    default = CPU_CHUNK_ELEMENTS if weight.device.type == "cpu" else GPU_CHUNK_ELEMENTS
    return max(MIN_CHUNK_POSITIONS, default // max(weight.shape))


def _product_dtype(*tensors: Tensor) -> torch.dtype:
    """The type of the matrix products: autocast's where it is on (it leaves float64 alone), else the widest given."""
    dtype = tensors[0].dtype
    for tensor in tensors[1:]:
        dtype = torch.promote_types(dtype, tensor.dtype)
    device_type = tensors[0].device.type
    if torch.is_autocast_enabled(device_type) and dtype != torch.float64:
        return torch.get_autocast_dtype(device_type)
    return dtype


class _JoinerLogProbs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, encoder_out: Tensor, predictor_out: Tensor, weight: Tensor, bias: Tensor, plan: _Plan
    ) -> tuple[Tensor, Tensor]:
        tensors = (encoder_out, predictor_out, weight, bias)
        ctx.save_for_backward(*tensors)
        ctx.plan = plan
        log_blank = torch.empty(plan.labels.shape, dtype=plan.sum_dtype, device=weight.device)
        log_label = torch.empty_like(log_blank)
        everywhere = torch.arange(len(plan.labels), device=weight.device)
        with torch.autocast(weight.device.type, enabled=False):
            for chosen, _, logits in _chunks(tensors, plan, everywhere):
                log_probs = logits.log_softmax(dim=1, dtype=plan.sum_dtype)
                log_blank[chosen] = log_probs[:, plan.blank_index]
                log_label[chosen] = log_probs[_rows(log_probs), plan.labels[chosen]]
        return log_blank, log_label

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_blank: Tensor, grad_label: Tensor) -> tuple[Tensor | None, ...]:
        plan, tensors = ctx.plan, ctx.saved_tensors
        gradients = _Gradients(tensors, ctx.needs_input_grad[:4], plan)
        is_used = (grad_blank != 0) | (grad_label != 0)
        with torch.autocast(grad_blank.device.type, enabled=False):
            for chosen, hidden, logits in _chunks(tensors, plan, is_used.nonzero().squeeze(1)):
                grad_logits = logits.softmax(dim=1, dtype=plan.sum_dtype)
                grad_logits.mul_(-(grad_blank[chosen] + grad_label[chosen])[:, None])
                grad_logits[:, plan.blank_index] += grad_blank[chosen]
                grad_logits[_rows(logits), plan.labels[chosen]] += grad_label[chosen]
                gradients.add(chosen, hidden, grad_logits.to(plan.product_dtype))
        return *gradients.results(), None


def _rows(block: Tensor) -> Tensor:
    return torch.arange(len(block), device=block.device)


def _chunks(tensors: tuple[Tensor, ...], plan: _Plan, positions: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """For each chunk of n of `positions` (indices into P): these (n,), hidden (n, J) and logits (n, V)."""
    encoder_out, predictor_out, weight, bias = tensors
    weight, bias = weight.to(plan.product_dtype), bias.to(plan.product_dtype)
    for chosen in positions.split(plan.positions_per_chunk):
        hidden = encoder_out.index_select(0, plan.encoder_rows[chosen])
        hidden = hidden + predictor_out.index_select(0, plan.predictor_rows[chosen])
        hidden = hidden.tanh_().to(plan.product_dtype)
        yield chosen, hidden, torch.addmm(bias, hidden, weight.t())


class _Gradients:
    """Accumulates over chunks the gradients of those of (encoder_out, predictor_out, weight, bias) that need one."""

    def __init__(self, tensors: tuple[Tensor, ...], is_needed: tuple[bool, ...], plan: _Plan) -> None:
        self.plan = plan
        self.dtypes = [tensor.dtype for tensor in tensors]
        self.weight = tensors[2].to(plan.product_dtype)
        self.totals = [
            torch.zeros_like(tensor, dtype=plan.sum_dtype) if needed else None
            for tensor, needed in zip(tensors, is_needed, strict=True)
        ]

    def add(self, chosen: Tensor, hidden: Tensor, grad_logits: Tensor) -> None:
        encoder, predictor, weight, bias = self.totals
        if bias is not None:
            bias += grad_logits.sum(0, dtype=bias.dtype)
        if weight is not None and weight.dtype == hidden.dtype:
            weight.addmm_(grad_logits.t(), hidden)
        elif weight is not None:
            weight += grad_logits.t() @ hidden
        if encoder is None and predictor is None:
            return
        grad_hidden = (grad_logits @ self.weight).to(self.plan.sum_dtype)
        grad_hidden.addcmul_(grad_hidden * hidden, hidden, value=-1)  # the slope of tanh is 1 - tanh^2
        if encoder is not None:
            encoder.index_add_(0, self.plan.encoder_rows[chosen], grad_hidden)
        if predictor is not None:
            predictor.index_add_(0, self.plan.predictor_rows[chosen], grad_hidden)

    def results(self) -> list[Tensor | None]:
        pairs = zip(self.totals, self.dtypes, strict=True)
        return [None if total is None else total.to(dtype) for total, dtype in pairs]
