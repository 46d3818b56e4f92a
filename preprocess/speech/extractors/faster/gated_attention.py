"""WavLM's attention with gated relative position bias (arXiv:2110.13900, section 3.1), a few heads at a time.

The bias depends on the distance of two frames alone. Here it is held as one number a distance and read through a view,
so that no (T, T) tensor of it is made, neither for a forward pass nor for each utterance of a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from .modules import GatedAttentionModule

# Elements of (B, heads, T, T) in memory at once: 1 MB on a CPU, in its caches, 0.3 GB on a GPU.
MASK_ELEMENTS = {"cpu": 2**18, "cuda": 2**26}
MAX_FRAMES = 3000  # 60 s, the longest audio that is read; the table grows where an utterance is longer


class PositionBias:
    """Bias of a model by distance, from the table that its first layer holds."""

    def __init__(self, first_attention: GatedAttentionModule) -> None:
        self._attention = first_attention
        self._by_distance = self._compute(MAX_FRAMES)

    def for_reversed_keys(self, num_frames: int) -> Tensor:
        """Bias (H, T, T) of query i and key T - 1 - j: a view, since it depends on i + j."""
        by_distance = self._by_distance  # another thread may set it meanwhile
        if num_frames > (by_distance.shape[1] + 1) // 2:
            self._by_distance = by_distance = self._compute(num_frames)
        stride, offset = by_distance.stride(0), (by_distance.shape[1] + 1) // 2 - num_frames
        return by_distance.as_strided((len(by_distance), num_frames, num_frames), (stride, 1, 1), offset)

    def _compute(self, num_frames: int) -> Tensor:
        """Bias for key minus query from T - 1 down to 1 - T, (H, 2 T - 1)."""
        import torch

        after = self._attention.compute_bias(1, num_frames)[:, 0]  # distances 0..T - 1
        before = self._attention.compute_bias(num_frames, 1)[:, 1:, 0]  # -1..1 - T
        return torch.cat([after.flip(1), before], dim=1).detach().contiguous()


class GatedAttention:
    """Takes the place of the `forward` of a `WavLMAttention` of transformers; not for training."""

    def __init__(self, attention: GatedAttentionModule, position_bias: PositionBias) -> None:
        """`position_bias` is shared by all layers."""
        self._attention = attention
        self._position_bias = position_bias
        self._num_heads: int = attention.num_heads
        # The gates are sums of four outputs each.
        linear = attention.gru_rel_pos_linear
        self._gate_weight = linear.weight.detach().unflatten(0, (2, 4)).sum(1)
        self._gate_bias = linear.bias.detach().unflatten(0, (2, 4)).sum(1)
        self._gate_scale = attention.gru_rel_pos_const.detach().flatten()

    def __call__(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, **unused: object
    ) -> tuple[Tensor, None, None]:
        """Attend over (B, T, D), with a mask (B, T), True at frames that count; no weights, no bias to hand on."""
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        batch_size, num_frames, _ = hidden_states.shape
        backwards = hidden_states.flip(1)  # keys may stand in any order; in this one the bias is a view
        queries = self._split(self._attention.q_proj(hidden_states))
        keys = self._split(self._attention.k_proj(backwards))
        values = self._split(self._attention.v_proj(backwards))
        gates = self._gates(hidden_states)
        bias = self._position_bias.for_reversed_keys(num_frames)
        result = hidden_states.new_empty(batch_size, num_frames, self._num_heads, queries.shape[-1])
        limit = MASK_ELEMENTS.get(hidden_states.device.type, MASK_ELEMENTS["cuda"])
        step = min(self._num_heads, max(1, limit // (batch_size * num_frames**2)))
        masks = hidden_states.new_empty(batch_size, step, num_frames, num_frames)
        for begin in range(0, self._num_heads, step):
            heads = slice(begin, min(begin + step, self._num_heads))
            mask = masks[:, : heads.stop - begin]
            torch.mul(gates[:, heads], bias[heads], out=mask)
            if attention_mask is not None:
                is_padding = ~attention_mask.bool().flip(1)
                mask.masked_fill_(is_padding[:, None, None], float("-inf"))
            result[:, :, heads] = scaled_dot_product_attention(
                queries[:, heads], keys[:, heads], values[:, heads], attn_mask=mask
            ).transpose(1, 2)  # (B, heads, T, d) -> (B, T, heads, d)
        return self._attention.out_proj(result.flatten(2)), None, None

    def _split(self, projected: Tensor) -> Tensor:
        return projected.unflatten(2, (self._num_heads, -1)).transpose(1, 2)  # (B, T, D) -> (B, H, T, d)

    def _gates(self, hidden_states: Tensor) -> Tensor:
        """Factors of the bias, one a query, (B, H, T, 1)."""
        from torch.nn.functional import linear

        heads = hidden_states.unflatten(2, (self._num_heads, -1))
        update, reset = linear(heads, self._gate_weight, self._gate_bias).sigmoid().unbind(-1)  # (B, T, H) each
        gates = update * (reset * self._gate_scale - 1) + 2
        return gates.transpose(1, 2).unsqueeze(-1)
