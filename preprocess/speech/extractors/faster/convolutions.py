"""The convolutions on the waveform as matrix products: rows of time, no change of layout, a piece of time at once.

For encoders that normalise every sample of every layer by itself (the large sizes of WavLM, HuBERT and wav2vec 2.0,
XLS-R, data2vec-audio): there a frame depends on its own samples alone, so time can be cut anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .products import Product

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .modules import FeatureEncoder, NormalisedConvolution

# Frames whose activations are in memory together: 25 MB on a CPU, near its caches, 0.4 GB on a GPU.
PIECE_FRAMES = {"cpu": 64, "cuda": 1024}


@dataclass(frozen=True)
class ConvolutionLayer:
    """A convolution with its norm and activation; `product` takes the taps x C samples that a result depends on."""

    kernel: int
    stride: int
    product: Product
    layer_norm: nn.LayerNorm
    activation: Callable[[Tensor], Tensor]

    def __call__(self, hidden: Tensor) -> Tensor:
        """Apply the layer to contiguous rows (N, C); ((N - kernel) // stride + 1, C')."""
        num_rows, width = (len(hidden) - self.kernel) // self.stride + 1, hidden.shape[1]
        sizes, strides = (num_rows, self.kernel * width), (self.stride * width, 1)
        rows = hidden.as_strided(sizes, strides, hidden.storage_offset()).contiguous()
        return self.activation(self.layer_norm(self.product(rows)))


class Convolutions:
    """Takes the place of the `forward` of a `feature_extractor` of transformers."""

    def __init__(self, feature_extractor: FeatureEncoder) -> None:
        self._layers = [_layer(module) for module in feature_extractor.conv_layers]
        self._hop = math.prod(layer.stride for layer in self._layers)  # samples from frame to frame
        self._field = 1  # samples that a frame sees
        for layer in reversed(self._layers):
            self._field = (self._field - 1) * layer.stride + layer.kernel

    def __call__(self, waveforms: Tensor) -> Tensor:
        """Features (B, C, T) of samples (B, N)."""
        import torch
        from torch.nn.functional import pad

        num_waveforms, num_samples = waveforms.shape
        num_frames = (num_samples - self._field) // self._hop + 1
        # All waveforms in a row, each filled up to whole hops; frames that look over two of them are left out.
        hops = num_frames - 1 + math.ceil(self._field / self._hop)
        used = waveforms[:, : min(num_samples, hops * self._hop)]
        joined = pad(used, (0, hops * self._hop - used.shape[1])).reshape(-1, 1)
        joined = pad(joined, (0, 0, 0, self._field))
        total = num_waveforms * hops
        size = PIECE_FRAMES.get(waveforms.device.type, PIECE_FRAMES["cuda"])
        pieces = [self._frames(joined, begin, min(begin + size, total)) for begin in range(0, total, size)]
        frames = torch.cat(pieces).view(num_waveforms, hops, -1)[:, :num_frames]
        return frames.transpose(1, 2)  # (B, T, C) -> (B, C, T)

    def _frames(self, joined: Tensor, begin: int, end: int) -> Tensor:
        hidden = joined[begin * self._hop : (end - 1) * self._hop + self._field]
        for layer in self._layers:
            hidden = layer(hidden)
        return hidden


def _layer(module: NormalisedConvolution) -> ConvolutionLayer:
    weight = module.conv.weight.detach()  # (C', C, kernel)
    product = Product(weight.transpose(1, 2).flatten(1), module.conv.bias)
    return ConvolutionLayer(weight.shape[2], module.conv.stride[0], product, module.layer_norm, module.activation)
