"""Frames from Whisper's encoder, without filling the input up to 30 s."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ExtractorError
from ..audio import SAMPLE_RATE
from ..precision import float32_products
from .checkpoint import Checkpoint
from .faster.exchange import choose_products

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperEncoder


class WhisperExtractor:
    """The log-mel of the samples alone, one utterance at a time (Whisper knows no padding mask); an `Extractor`.

    The class of transformers insists on 30 s of input, so its steps are taken here. Frames differ a little from those
    of input that was filled up with silence, which the layers see too, and cost far less.
    """

    def __init__(self, model: WhisperEncoder, preprocessor: WhisperFeatureExtractor, checkpoint: Checkpoint) -> None:
        """`model` is a WhisperEncoder that ends with the layer of `checkpoint`; `preprocessor` makes its log-mel."""
        self.name, self.source = checkpoint.name, checkpoint.source
        self.layer, self.hash = checkpoint.layer, checkpoint.hash
        self.width: int = model.config.d_model
        self._samples_per_frame: int = preprocessor.hop_length * model.conv2.stride[0]
        self.frame_shift_seconds: float = self._samples_per_frame / SAMPLE_RATE
        # Behind the last layer of the whole model, hidden_states holds what comes after the final layer norm.
        self._is_last_layer = checkpoint.layer == checkpoint.num_layers
        self._model = model
        self._preprocessor = preprocessor
        self._products = choose_products(model.device.type, self._try)

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        """Frames (T, D) float32 of each waveform; see `Extractor.frames`."""
        return [self._frames(waveform) for waveform in waveforms]

    def _frames(self, waveform: np.ndarray) -> np.ndarray:
        max_samples = self._model.config.max_source_positions * self._samples_per_frame
        if not self._preprocessor.n_fft <= len(waveform) <= max_samples:
            raise ExtractorError(
                f"'{self.name}' takes {self._preprocessor.n_fft} to {max_samples} samples at {SAMPLE_RATE} Hz "
                f"({max_samples / SAMPLE_RATE:g} s), found {len(waveform)}",
                advice="cut it into rows with offset and duration",
            )
        with float32_products(self._products):
            return self._run(waveform)[0].cpu().numpy()

    def _run(self, waveform: np.ndarray) -> Tensor:
        """Frames (1, T, D), on the model's device, of samples (N,)."""
        import torch
        from torch.nn.functional import gelu

        mel = self._preprocessor(
            waveform, sampling_rate=SAMPLE_RATE, padding="do_not_pad", truncation=False, return_tensors="pt"
        ).input_features.to(self._model.device, torch.float32)
        with torch.inference_mode():
            hidden = gelu(self._model.conv2(gelu(self._model.conv1(mel))))
            hidden = hidden.transpose(1, 2)  # (1, D, T) -> (1, T, D)
            hidden = hidden + self._model.embed_positions.weight[: hidden.shape[1]]
            for layer in self._model.layers:
                hidden = layer(hidden, None)
            return self._model.layer_norm(hidden) if self._is_last_layer else hidden

    def _try(self) -> Tensor:
        """Frames (1, T, D) of half a second of noise."""
        return self._run(np.random.default_rng(0).standard_normal(SAMPLE_RATE // 2).astype(np.float32))
