"""The convolutions on the waveform as matrix products: rows of time, no change of layout, a piece of time at once.

For encoders that normalise every sample of every layer by itself (the large sizes of WavLM, HuBERT and wav2vec 2.0,
XLS-R, data2vec-audio): there a frame depends on its own samples alone, so time can be cut anywhere.
"""

import math
from dataclasses import dataclass
from typing import Any

# Frames whose activations are in memory together: 8 MB on a CPU, near its caches, 0.3 GB on a GPU.
PIECE_FRAMES = {"cpu": 64, "cuda": 2048}


@dataclass(frozen=True)
class ConvolutionLayer:
    """A convolution with its norm and activation; `weights[g]` (taps x C, C') belong to the g-th stride of taps."""

    kernel: int
    stride: int
    weights: list[Any]
    bias: Any
    layer_norm: Any
    activation: Any

    def __call__(self, hidden: Any) -> Any:
        """(N, C) contiguous -> ((N - kernel) // stride + 1, C')."""
        import torch

        num_rows, width = (len(hidden) - self.kernel) // self.stride + 1, hidden.shape[1] * self.stride
        result = self.bias
        for group, weight in enumerate(self.weights):
            # Rows begin a stride apart and are at most a stride long: they lie in `hidden` as they are.
            offset = hidden.storage_offset() + group * width
            rows = hidden.as_strided((num_rows, len(weight)), (width, 1), offset)
            result = rows @ weight if result is None else torch.addmm(result, rows, weight)
        return self.activation(self.layer_norm(result))


class Convolutions:
    """Takes the place of the `forward` of a `feature_extractor` of transformers."""

    def __init__(self, feature_extractor: Any) -> None:
        self._layers = [_layer(module) for module in feature_extractor.conv_layers]
        self._hop = math.prod(layer.stride for layer in self._layers)  # samples from frame to frame
        self._field = 1  # samples that a frame sees
        for layer in reversed(self._layers):
            self._field = (self._field - 1) * layer.stride + layer.kernel

    def __call__(self, waveforms: Any) -> Any:
        """(B, N) samples -> (B, C, T)."""
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

    def _frames(self, joined: Any, begin: int, end: int) -> Any:
        hidden = joined[begin * self._hop : (end - 1) * self._hop + self._field]
        for layer in self._layers:
            hidden = layer(hidden)
        return hidden


def _layer(module: Any) -> ConvolutionLayer:
    weight, stride = module.conv.weight.detach(), module.conv.stride[0]  # (C', C, kernel)
    kernel = weight.shape[2]
    weights = [
        weight[:, :, begin : begin + stride].permute(2, 1, 0).reshape(-1, len(weight)).contiguous()
        for begin in range(0, kernel, stride)
    ]
    return ConvolutionLayer(kernel, stride, weights, module.conv.bias, module.layer_norm, module.activation)
