"""Frames from encoders that read the waveform itself: WavLM, HuBERT, wav2vec 2.0 / XLS-R and data2vec-audio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ExtractorError
from ..audio import SAMPLE_RATE
from ..precision import float32_products
from .checkpoint import Checkpoint
from .faster.exchange import choose_products, speed_up

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import Wav2Vec2FeatureExtractor

    from .faster.modules import WaveformModel

# Padded length of what is computed at once. A CPU is busy with few frames, which stay near its caches; padding costs.
BATCH_SAMPLES = {"cpu": 10 * SAMPLE_RATE, "cuda": 60 * SAMPLE_RATE}


class WaveformExtractor:
    """Convolutions on the waveform, then a transformer; implements `Extractor`."""

    def __init__(self, model: WaveformModel, preprocessor: Wav2Vec2FeatureExtractor, checkpoint: Checkpoint) -> None:
        """`model` ends with the layer of `checkpoint`; `preprocessor` is its feature extractor."""
        import torch

        self.name, self.source = checkpoint.name, checkpoint.source
        self.layer, self.hash = checkpoint.layer, checkpoint.hash
        config = model.config
        if getattr(config, "do_stable_layer_norm", False):
            # Applied behind the last layer; hidden_states holds what comes before it, for the last layer too.
            model.encoder.layer_norm = torch.nn.Identity()
        self.width: int = config.hidden_size
        self.frame_shift_seconds: float = float(np.prod(config.conv_stride)) / SAMPLE_RATE
        # With an attention mask, padding changes nothing but where something looks over it: a group norm over time,
        # data2vec's five convolutions for positions, a batch norm before them.
        self._is_batchable = (
            config.model_type != "data2vec-audio"
            and config.feat_extract_norm == "layer"
            and not getattr(config, "conv_pos_batch_norm", False)
        )
        self._model = model
        self._preprocessor = preprocessor
        self.is_fast = speed_up(model, self._try)
        self._products = choose_products(model.device.type, self._try)

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        """Frames (T, D) float32 of each waveform; see `Extractor.frames`."""
        for waveform in waveforms:
            if self._num_frames(len(waveform)) < 1:
                raise ExtractorError(f"'{self.name}' makes no frame of {len(waveform)} samples; expected 400 (25 ms)")
        batches = self._batches(waveforms) if self._is_batchable else [[waveform] for waveform in waveforms]
        return [frames for batch in batches for frames in self._frames_of_batch(batch)]

    def _batches(self, waveforms: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
        """`waveforms` in order, so many together as the device takes best."""
        limit = BATCH_SAMPLES.get(self._model.device.type, BATCH_SAMPLES["cuda"])
        batch: list[np.ndarray] = []
        for waveform in waveforms:
            if batch and (len(batch) + 1) * max(map(len, [*batch, waveform])) > limit:
                yield batch
                batch = []
            batch.append(waveform)
        if batch:
            yield batch

    def _frames_of_batch(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        import torch

        inputs = self._preprocessor(
            waveforms, sampling_rate=SAMPLE_RATE, padding=True, return_attention_mask=True, return_tensors="pt"
        )
        is_padded = len({len(waveform) for waveform in waveforms}) > 1
        attention_mask = inputs.attention_mask if is_padded else None
        with float32_products(self._products):
            hidden = self._run(inputs.input_values.to(torch.float32), attention_mask).cpu()
        return [
            frames[: self._num_frames(len(waveform))].numpy()
            for frames, waveform in zip(hidden, waveforms, strict=True)
        ]

    def _run(self, samples: Tensor, attention_mask: Tensor | None) -> Tensor:
        """Frames (B, T, D) float32, on the model's device, of samples (B, N); the mask is 1 at those that count."""
        import torch

        device = self._model.device
        mask = None if attention_mask is None else attention_mask.to(device)
        with torch.inference_mode():
            return self._model(samples.to(device), attention_mask=mask).last_hidden_state.float()

    def _try(self) -> Tensor:
        """Frames (F, D) of half a second of noise; in batches, also of 0.4 s beside it."""
        import torch

        samples = torch.randn(2, SAMPLE_RATE // 2, generator=torch.Generator().manual_seed(0))
        if not self._is_batchable:
            return self._run(samples[:1], None).flatten(0, 1)
        num_samples = SAMPLE_RATE * 2 // 5
        attention_mask = torch.ones_like(samples, dtype=torch.int64)
        attention_mask[1, num_samples:] = samples[1, num_samples:] = 0
        hidden = self._run(samples, attention_mask)
        return torch.cat([hidden[0], hidden[1, : self._num_frames(num_samples)]])

    def _num_frames(self, num_samples: int) -> int:
        length = num_samples
        for kernel, stride in zip(self._model.config.conv_kernel, self._model.config.conv_stride, strict=True):
            length = (length - kernel) // stride + 1
        return length
