"""The convolution over time that tells a speech encoder positions, by Fourier transforms of overlapping blocks.

Its kernel is long (128 frames in the large sizes), so that a product of spectra is an eighth of the work or less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from .modules import PositionsModule


class Positions:
    """The `forward` of a `pos_conv_embed` of transformers, with one convolution and no batch norm."""

    def __init__(self, module: PositionsModule) -> None:
        import torch

        weight = module.conv.weight.detach()  # (D, D / G, kernel)
        self._groups, self._kernel = module.conv.groups, weight.shape[2]
        self._block = 2 * self._kernel  # frames of a transform; the first kernel - 1 results mix its two ends
        spectra = torch.fft.rfft(weight.flip(2).unflatten(0, (self._groups, -1)), self._block)
        self._spectra = spectra.permute(3, 0, 2, 1).flatten(0, 1).contiguous()  # (F G, D / G in, D / G out)
        self._bias = module.conv.bias
        self._activation = module.activation

    def __call__(self, hidden_states: Tensor) -> Tensor:
        """Positions (B, T, D) of hidden states (B, T, D)."""
        import torch
        from torch.nn.functional import pad

        batch_size, num_frames, width = hidden_states.shape
        step = self._block - self._kernel + 1
        num_blocks = -(-num_frames // step)
        before = self._kernel // 2
        after = num_blocks * step + self._kernel - 1 - before - num_frames
        blocks = pad(hidden_states.transpose(1, 2), (before, after)).unfold(2, self._block, step)  # (B, D, N, block)
        spectra = torch.fft.rfft(blocks).unflatten(1, (self._groups, -1))  # (B, G, D / G, N, F)
        rows = spectra.permute(4, 1, 0, 3, 2).reshape(len(self._spectra), batch_size * num_blocks, -1)
        products = torch.bmm(rows, self._spectra).view(-1, self._groups, batch_size, num_blocks, rows.shape[2])
        result = torch.fft.irfft(products.permute(2, 3, 1, 4, 0), self._block)  # (B, N, G, D / G, block)
        result = result[..., self._kernel - 1 :].permute(0, 1, 4, 2, 3).reshape(batch_size, -1, width)[:, :num_frames]
        return self._activation(result if self._bias is None else result + self._bias)
