"""Products of rows with the weight of a linear layer. On a CPU it lies in the order in which oneDNN reads it.

oneDNN comes nearer to the peak of a CPU than the products that torch takes by itself, from thirty rows on, and can
apply GELU to results that are still in the cache. Elsewhere the products are those of torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .modules import FeedForwardModule

ROWS = 512  # for which oneDNN chooses the order; it takes any number


class Product:
    """rows -> rows @ weight.T + bias, through GELU if asked for; not for training."""

    def __init__(self, weight: Tensor, bias: Tensor | None, gelu: bool = False) -> None:
        """`weight` is (D', D), `bias` (D',) or None."""
        import torch

        self._bias = None if bias is None else bias.detach()
        self._gelu = gelu
        self._is_packed = weight.device.type == "cpu" and torch.backends.mkldnn.is_available()
        weight = weight.detach().contiguous()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS) if self._is_packed else weight

    def __call__(self, rows: Tensor) -> Tensor:
        """Product (..., D') of rows (..., D)."""
        import torch
        from torch.nn.functional import gelu, linear

        if self._is_packed:
            activation, algorithm = ("gelu", "none") if self._gelu else ("none", "")
            return torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, activation, [], algorithm)
        result = linear(rows, self._weight, self._bias)
        return gelu(result) if self._gelu else result


class Linear(Product):
    """Takes the place of the `forward` of a linear layer."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__(linear.weight, linear.bias)


class FeedForward:
    """Takes the place of the `forward` of a `feed_forward` of transformers; its activation must be the exact GELU."""

    def __init__(self, module: FeedForwardModule) -> None:
        self._inner = Product(module.intermediate_dense.weight, module.intermediate_dense.bias, gelu=True)
        self._outer = Product(module.output_dense.weight, module.output_dense.bias)

    def __call__(self, hidden_states: Tensor) -> Tensor:
        """Output (B, T, D) of hidden states (B, T, D)."""
        return self._outer(self._inner(hidden_states))
