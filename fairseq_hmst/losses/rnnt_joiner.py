"""The joiner's log P(blank) and log P(next label) at each position, from logits made chunk by chunk.

A (chunk, V) block of logits lives only until its two columns are read; the backward pass makes it a second time. That
is four matrix products of P x J x V at most, where keeping the logits takes three and P x V of memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .first_derivative import first_derivative_only
from .rnnt_lattice import LatticePositions

# By default a block of logits holds about this many numbers, so that it stays in a CPU's cache or fills a GPU ...
CPU_CHUNK_ELEMENTS = 2**21
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
) -> Tensor:
    """Log P(blank) and log P(next label) at `positions`, (2, P); arguments as those of `fused_rnnt_loss`."""
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
    ) -> Tensor:
        tensors = (encoder_out, predictor_out, weight, bias)
        ctx.save_for_backward(*tensors)
        ctx.plan = plan
        log_probs = torch.empty((2, len(plan.labels)), dtype=plan.sum_dtype, device=weight.device)
        everywhere = torch.arange(len(plan.labels), device=weight.device)
        with torch.autocast(weight.device.type, enabled=False):
            joiner = _Joiner(tensors, plan)
            for chosen in everywhere.split(plan.positions_per_chunk):
                log_probs[:, chosen] = joiner.log_probs(chosen)
        return log_probs

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad_log_probs: Tensor) -> tuple[Tensor | None, ...]:
        plan, tensors = ctx.plan, ctx.saved_tensors
        used = grad_log_probs.any(0).nonzero().squeeze(1)
        with torch.autocast(grad_log_probs.device.type, enabled=False):
            joiner = _Joiner(tensors, plan)
            gradients = _Gradients(joiner, tensors, ctx.needs_input_grad[:4])
            for chosen in used.split(plan.positions_per_chunk):
                gradients.add(chosen, grad_log_probs[:, chosen])
        return *gradients.in_types_of(tensors), None


class _Joiner:
    """The joiner at `chosen` positions (n,), which are indices into the P of the plan.

    All chunks share two blocks, one for logits and one for what becomes of them: each result (n, V) lasts until the
    next. Blocks of their own would leave a CPU's heap fragmented, at several times the memory.
    """

    def __init__(self, tensors: tuple[Tensor, ...], plan: _Plan) -> None:
        self.plan = plan
        self.encoder_out, self.predictor_out = tensors[:2]
        self.weight, self.bias = (tensor.to(plan.product_dtype) for tensor in tensors[2:])
        block_shape = (min(plan.positions_per_chunk, len(plan.labels)), len(self.bias))
        self._logits = self.weight.new_empty(block_shape)
        self._normalised = self.weight.new_empty(block_shape, dtype=plan.sum_dtype)

    def hidden(self, chosen: Tensor) -> Tensor:
        """Input of the last layer, (n, J)."""
        encoder_out = self.encoder_out.index_select(0, self.plan.encoder_rows[chosen])
        predictor_out = self.predictor_out.index_select(0, self.plan.predictor_rows[chosen])
        return (encoder_out + predictor_out).tanh_().to(self.plan.product_dtype)

    def log_probs(self, chosen: Tensor) -> Tensor:
        """Log P(blank) and log P(next label), (2, n)."""
        log_probs = self._normalise(torch.log_softmax, self.hidden(chosen))
        rows = torch.arange(len(chosen), device=chosen.device)
        return torch.stack([log_probs[:, self.plan.blank_index], log_probs[rows, self.plan.labels[chosen]]])

    def logits_gradient(self, hidden: Tensor, chosen: Tensor, grad_log_probs: Tensor) -> Tensor:
        """Gradient of the logits, (n, V), from the gradient (2, n) of `log_probs`."""
        grad_blank, grad_label = grad_log_probs
        gradient = self._normalise(torch.softmax, hidden)
        gradient.mul_(-(grad_blank + grad_label)[:, None])
        gradient[:, self.plan.blank_index] += grad_blank
        gradient[torch.arange(len(chosen), device=chosen.device), self.plan.labels[chosen]] += grad_label
        return gradient.to(self.plan.product_dtype)

    def _normalise(self, function: Callable[..., Tensor], hidden: Tensor) -> Tensor:
        """Softmax or log-softmax of the logits, (n, V), of hidden (n, J)."""
        logits, normalised = self._logits[: len(hidden)], self._normalised[: len(hidden)]
        torch.addmm(self.bias, hidden, self.weight.t(), out=logits)
        return function(logits, 1, dtype=self.plan.sum_dtype, out=normalised)


class _Gradients:
    """Sums of gradients, chunk by chunk: of encoder_out, predictor_out, weight and bias, where one is needed."""

    def __init__(self, joiner: _Joiner, tensors: tuple[Tensor, ...], is_needed: tuple[bool, ...]) -> None:
        self.joiner = joiner
        self.totals = [
            torch.zeros_like(tensor, dtype=joiner.plan.sum_dtype) if needed else None
            for tensor, needed in zip(tensors, is_needed, strict=True)
        ]

    def add(self, chosen: Tensor, grad_log_probs: Tensor) -> None:
        encoder, predictor, weight, bias = self.totals
        hidden = self.joiner.hidden(chosen)
        grad_logits = self.joiner.logits_gradient(hidden, chosen, grad_log_probs)
        if bias is not None:
            bias += grad_logits.sum(0, dtype=bias.dtype)
        if weight is not None and weight.dtype == hidden.dtype:
            weight.addmm_(grad_logits.t(), hidden)
        elif weight is not None:
            weight += grad_logits.t() @ hidden
        if encoder is None and predictor is None:
            return
        grad_hidden = (grad_logits @ self.joiner.weight).to(self.joiner.plan.sum_dtype)
        grad_hidden.addcmul_(grad_hidden * hidden, hidden, value=-1)  # the slope of tanh is 1 - tanh^2
        # index_add_ would do the same, but varies from run to run on a GPU and stalls on a CPU that is shared.
        if encoder is not None:
            encoder.index_put_((self.joiner.plan.encoder_rows[chosen],), grad_hidden, accumulate=True)
        if predictor is not None:
            predictor.index_put_((self.joiner.plan.predictor_rows[chosen],), grad_hidden, accumulate=True)

    def in_types_of(self, tensors: tuple[Tensor, ...]) -> list[Tensor | None]:
        pairs = zip(self.totals, tensors, strict=True)
        return [None if total is None else total.to(tensor.dtype) for total, tensor in pairs]
