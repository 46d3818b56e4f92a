"""Extraction on a GPU that is not there: frames of the CPU, no tensor of another device, one copy back a batch."""

import pytest
import torch
from second_device import MixedDevices, second_device

from preprocess.speech.extractors import load_extractor, unload_extractor

ENCODERS = ["wavlm-layer", "wavlm-group", "hubert-layer", "hubert-group", "wav2vec2-layer", "data2vec-layer"]

ASKS_FOR_PADDING = ["hubert-layer", "wav2vec2-layer"]  # transformers does, once a batch that is padded


@pytest.fixture(autouse=True)
def _nothing_is_kept():
    unload_extractor()
    yield
    unload_extractor()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_frames_are_those_of_the_cpu_and_come_back_once_a_batch(
    tmp_path, waveforms, make_encoder, assert_close, encoder: str
):
    make_encoder(tmp_path, encoder)
    expected = load_extractor(str(tmp_path), 2, "cpu").frames(waveforms)
    with second_device() as gpu:
        extractor = load_extractor(str(tmp_path), 2, "cuda")
        gpu.reset()
        found = extractor.frames(waveforms)
    for frames, frames_of_cpu in zip(found, expected, strict=True):
        assert_close(frames, frames_of_cpu)
    num_batches = 1 if extractor._is_batchable else len(waveforms)
    assert sum(gpu.waits.values()) == num_batches + (encoder in ASKS_FOR_PADDING), gpu.waits
    assert sum(gpu.uploads.values()) <= 2 * num_batches, gpu.uploads  # samples, and a mask where some are padded


def test_a_tensor_that_was_left_on_the_cpu_is_found(tmp_path, waveforms, make_encoder, monkeypatch):
    make_encoder(tmp_path, "wavlm-layer")
    with second_device():
        extractor = load_extractor(str(tmp_path), 2, "cuda")
        monkeypatch.setattr(torch.Tensor, "to", lambda tensor, *_, **__: tensor)
        with pytest.raises((MixedDevices, RuntimeError)):
            extractor.frames(waveforms)
