"""Utterances, and a speech encoder with random weights, that need no download."""

from pathlib import Path

import numpy as np

from preprocess.speech.audio import SAMPLE_RATE, load_audio
from preprocess.speech.frames import AudioSpan

RECORDINGS = Path(__file__).parents[1] / "prompts" / "recordings"
SHORTEST, LONGEST = 2.0, 15.0  # seconds


def join_utterances(folder: Path, seconds: float) -> list[AudioSpan]:
    """Wav files of recordings one after another, lengths uniform in SHORTEST..LONGEST, until `seconds` are full."""
    import soundfile

    random = np.random.default_rng(0)
    waveforms = [load_audio(path) for path in random.permutation(sorted(RECORDINGS.glob("*.ogg")))]
    speech, position = np.concatenate(waveforms), 0
    spans: list[AudioSpan] = []
    while seconds > 0:
        length = round(SAMPLE_RATE * min(random.uniform(SHORTEST, LONGEST), max(seconds, SHORTEST)))
        name = str(len(spans))
        waveform = speech.take(range(position, position + length), mode="wrap")
        soundfile.write(folder / f"{name}.wav", waveform, SAMPLE_RATE, subtype="FLOAT")
        spans.append(AudioSpan(folder / f"{name}.wav", 0.0, None, (name,), (name,)))
        position += length
        seconds -= length / SAMPLE_RATE
    return spans


def save_random_wavlm(folder: Path, width: int, layers: int) -> None:
    """Write a WavLM with random weights; at width 1024 and 24 layers it is as large as the large one."""
    import torch
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMModel

    torch.manual_seed(0)
    config = WavLMConfig(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        conv_dim=(width // 2,) * 7,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
    )
    WavLMModel(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True).save_pretrained(folder)
