"""Functions with a first derivative and no second: to ask for the second is an error, never a wrong number."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Gradients = tuple[Tensor | None, ...]


def first_derivative_only(backward: Callable[..., Gradients]) -> Callable[..., Gradients]:
    """Run the backward pass of an autograd Function without a graph, and refuse its derivative.

    torch's own `once_differentiable` refuses only where the incoming gradient needs one, and not towards the inputs:
    what `backward(create_graph=True)` of a loss itself gives would be taken for a constant. Here it depends on all that
    the forward pass saved: save every differentiable input.
    """

    @functools.wraps(backward)
    def backward_once(ctx: Any, *incoming: Tensor) -> Gradients:
        with torch.no_grad():
            gradients = backward(ctx, *incoming)
        if not torch.is_grad_enabled():
            return gradients
        given = [gradient for gradient in gradients if gradient is not None]
        refusing = iter(_NoSecondDerivative.apply(len(given), *given, *incoming, *ctx.saved_tensors))
        return tuple(None if gradient is None else next(refusing) for gradient in gradients)

    return backward_once


class _NoSecondDerivative(torch.autograd.Function):
    """The first tensors, as a function of all that refuses to be differentiated."""

    @staticmethod
    def forward(ctx: Any, num_gradients: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(gradient.view_as(gradient) for gradient in tensors[:num_gradients])

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> Gradients:
        raise RuntimeError("an RNN-T loss has no second derivative")
