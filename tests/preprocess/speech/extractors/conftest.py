"""Tiny encoders with random weights, saved as Hugging Face saves real ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

NUM_LAYERS = 3
CLASSES = {
    "wavlm": (transformers.WavLMConfig, transformers.WavLMModel),
    "hubert": (transformers.HubertConfig, transformers.HubertModel),
    "wav2vec2": (transformers.Wav2Vec2Config, transformers.Wav2Vec2Model),
    "data2vec": (transformers.Data2VecAudioConfig, transformers.Data2VecAudioModel),
}


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    """Biases and norms begin as zeros and ones, which would hide one that is left out."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return model.eval()


def save_encoder(folder: Path, encoder: str, do_normalize: bool = True, **options: object) -> torch.nn.Module:
    """`encoder` is KIND-NORM, such as wavlm-layer or hubert-group: the kind and its feature extractor's norm."""
    torch.manual_seed(0)
    kind, norm = encoder.split("-")
    config_class, model_class = CLASSES[kind]
    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": NUM_LAYERS,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "conv_dim": (16,) * 7,
        "num_conv_pos_embeddings": 4 if kind == "data2vec" else 16,
        "num_conv_pos_embedding_groups": 4,
    }
    if kind != "data2vec":
        sizes |= {"feat_extract_norm": norm, "do_stable_layer_norm": norm == "layer"}
    model = randomise(model_class(config_class(**(sizes | options))))
    model.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=do_normalize).save_pretrained(folder)
    return model


def check_closeness(found: np.ndarray, expected: np.ndarray, tolerance: float = 2e-5) -> None:
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


@pytest.fixture(scope="session")
def shake() -> Callable[[torch.nn.Module], torch.nn.Module]:
    return randomise


@pytest.fixture(scope="session")
def make_encoder() -> Callable[..., torch.nn.Module]:
    return save_encoder


@pytest.fixture(scope="session")
def assert_close() -> Callable[..., None]:
    return check_closeness


@pytest.fixture
def wavlm_config() -> transformers.WavLMConfig:
    return transformers.WavLMConfig(hidden_size=32, intermediate_size=48, num_attention_heads=4)
