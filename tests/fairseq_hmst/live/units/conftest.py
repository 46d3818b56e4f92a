"""Sound, splits of it, and tiny encoders with random weights."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from preprocess.speech.audio import load_audio
from preprocess.speech.extractors import Extractor, load_extractor

RECORDINGS = Path(__file__).resolve().parents[4] / "examples" / "prompts" / "recordings"


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """Some seconds of speech that grows louder, with digital silence in front and in the middle."""
    recordings = [load_audio(path) for path in sorted(RECORDINGS.glob("*.ogg"))[:4]]
    silence = np.zeros(3000, dtype=np.float32)
    parts = []
    for gain, sound in zip((0.02, 0.1, 0.4, 1.0), recordings, strict=True):
        parts += [silence, gain * sound]
    return np.concatenate(parts).astype(np.float32)[: 4 * 16_000 + 123]


@pytest.fixture(scope="session", params=["wavlm", "whisper"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Extractor:
    """A tiny encoder of either kind, second layer."""
    import torch
    import transformers
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "whisper":
        sizes = {"d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 48}
        WhisperEncoder(transformers.WhisperConfig(**sizes)).save_pretrained(folder)
        transformers.WhisperFeatureExtractor().save_pretrained(folder)
    else:
        config = transformers.WavLMConfig(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=48,
            conv_dim=(16,) * 7,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
            feat_extract_norm="layer",
            do_stable_layer_norm=True,
        )
        transformers.WavLMModel(config).save_pretrained(folder)
        transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return load_extractor(str(folder), 2, "cpu")


def pieces_of(samples: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for begin in range(0, len(samples), size):
        yield samples[begin : begin + size]


@pytest.fixture(scope="session")
def split():
    return pieces_of
