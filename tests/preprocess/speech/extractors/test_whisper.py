"""Frames against `hidden_states[n]` of Whisper's encoder as transformers computes them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from preprocess.__main__ import main
from preprocess.errors import ExtractorError
from preprocess.files.faults import read_faults
from preprocess.speech.audio import LengthLimits
from preprocess.speech.extractors import load_extractor
from preprocess.speech.extractors.limits import read_limits

NUM_LAYERS = 3
WHISPER_BASE = Path(__file__).resolve().parents[5] / "shared" / "models" / "whisper-base-encoder"


@pytest.fixture
def make_whisper(shake) -> Callable[..., torch.nn.Module]:
    def make(folder: Path, num_positions: int = 1500, whole: bool = False) -> torch.nn.Module:
        """A Whisper of `num_positions` frames; returns its encoder."""
        torch.manual_seed(0)
        config = transformers.WhisperConfig(
            d_model=32,
            encoder_layers=NUM_LAYERS,
            encoder_attention_heads=4,
            encoder_ffn_dim=48,
            decoder_layers=1,
            decoder_attention_heads=4,
            decoder_ffn_dim=48,
            vocab_size=60,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=1,
            max_source_positions=num_positions,
        )
        model = shake(transformers.WhisperForConditionalGeneration(config) if whole else WhisperEncoder(config))
        model.save_pretrained(folder)
        transformers.WhisperFeatureExtractor().save_pretrained(folder)
        return model.get_encoder() if whole else model

    return make


def whisper_mel(waveform: np.ndarray) -> torch.Tensor:
    return transformers.WhisperFeatureExtractor()(
        waveform, sampling_rate=16_000, padding=False, return_tensors="pt"
    ).input_features


@pytest.mark.parametrize("whole", [False, True], ids=["encoder", "whole-model"])
def test_whisper_frames_of_every_layer_equal_hidden_states(
    tmp_path, waveforms, whole: bool, assert_close, make_whisper
):
    waveform = waveforms[0]  # 0.5 s: 25 frames; the class of transformers takes input that fills its positions
    encoder = make_whisper(tmp_path, num_positions=25, whole=whole)
    with torch.inference_mode():
        expected = encoder(whisper_mel(waveform), output_hidden_states=True).hidden_states
    assert len(expected) == NUM_LAYERS + 1
    for layer in range(1, NUM_LAYERS + 1):
        extractor = load_extractor(str(tmp_path), layer, "cpu")
        assert len(extractor._model.layers) == layer
        assert_close(extractor.frames([waveform])[0], expected[layer][0].numpy())


def test_whisper_one_by_one_equals_batched(tmp_path, waveforms, assert_close, make_whisper):
    make_whisper(tmp_path)
    extractor = load_extractor(str(tmp_path), 2, "cpu")
    for waveform, batched in zip(waveforms, extractor.frames(waveforms), strict=True):
        assert len(batched) == -(-(len(waveform) // 160) // 2)
        assert_close(batched, extractor.frames([waveform])[0])


def test_whisper_refuses_what_its_positions_cannot_hold(tmp_path, make_whisper):
    make_whisper(tmp_path, num_positions=25)
    extractor = load_extractor(str(tmp_path), 1, "cpu")
    assert extractor.frames([np.zeros(8000, dtype=np.float32)])[0].shape == (25, 32)
    with pytest.raises(ExtractorError, match=r"takes 400 to 8000 samples .*\(0.5 s\), found 8001"):
        extractor.frames([np.zeros(8001, dtype=np.float32)])


def test_the_limits_of_length_are_what_the_encoder_takes_and_need_no_weights(tmp_path, make_whisper):
    make_whisper(tmp_path, num_positions=25)
    extractor = load_extractor(str(tmp_path), 1, "cpu")
    (tmp_path / "model.safetensors").unlink()
    limits = read_limits(str(tmp_path))
    for seconds, outside in ((limits.min_seconds, -1), (limits.max_seconds, 1)):
        num_samples = round(seconds * 16_000)
        assert limits.contain(num_samples / 16_000) and not limits.contain((num_samples + outside) / 16_000)
        extractor.frames([np.zeros(num_samples, dtype=np.float32)])
        with pytest.raises(ExtractorError, match="takes 400 to 8000 samples"):
            extractor.frames([np.zeros(num_samples + outside, dtype=np.float32)])


def test_the_stage_names_all_rows_that_whisper_does_not_take_before_it_loads_anything(
    tmp_path, make_whisper, make_manifest, monkeypatch, capsys
):
    manifest = make_manifest(count=8)  # of 0.4 to 0.7 s
    make_whisper(tmp_path / "whisper", num_positions=25)
    monkeypatch.setattr("preprocess.stages.kmeans.load_extractor", None)
    arguments = ["--manifest", manifest, "--extractor", tmp_path / "whisper", "--layer", 1, "--out", tmp_path / "km"]
    assert main(["kmeans", *map(str, arguments)]) == 1
    printed = capsys.readouterr().err
    assert f"{manifest}:4: utterance 'u2': {tmp_path}/audio/2.wav: too long: 0.6 s, expected at most 0.5 s" in printed
    assert f"{tmp_path}/km.errors.tsv lists all 4 rows" in printed
    assert [fault.location for fault in read_faults(tmp_path / "km.errors.tsv")] == [
        f"{manifest}:{line}" for line in (4, 5, 8, 9)
    ]


@pytest.mark.parametrize("encoder", ["mfcc", "wavlm-layer"])
def test_other_encoders_take_any_audio_that_can_be_read(tmp_path, make_encoder, encoder: str):
    if encoder != "mfcc":
        make_encoder(tmp_path, encoder)
    assert read_limits("mfcc" if encoder == "mfcc" else str(tmp_path)) == LengthLimits(0.025, 60.0)


@pytest.mark.parametrize("content", ["", "{", '{"model_type": "whisper"}'])
def test_a_broken_config_is_named(tmp_path, content: str):
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_text(content)
    with pytest.raises(ExtractorError, match=f"^{tmp_path}(/config.json)?: "):
        read_limits(str(tmp_path))


@pytest.mark.skipif(not WHISPER_BASE.is_dir(), reason=f"no pretrained encoder in {WHISPER_BASE}")
def test_pretrained_whisper_takes_30_seconds():
    assert read_limits(str(WHISPER_BASE)).max_seconds == 30


@pytest.mark.skipif(not WHISPER_BASE.is_dir(), reason=f"no pretrained encoder in {WHISPER_BASE}")
@pytest.mark.parametrize("layer", [3, 6])
def test_pretrained_whisper_on_recorded_prompts_equals_hidden_states(recorded_prompts, layer: int, assert_close):
    extractor = load_extractor(str(WHISPER_BASE), layer, "cpu")
    assert (extractor.name, extractor.width, extractor.frame_shift_seconds) == ("whisper-base-encoder", 512, 0.02)
    prompt = recorded_prompts[0][: len(recorded_prompts[0]) // 320 * 320]
    frames = extractor.frames([prompt])[0]
    model = WhisperEncoder.from_pretrained(WHISPER_BASE, dtype=torch.float32).eval()
    # The whole model made short: positions are fixed sinusoids, and its forward insists on input that fills them.
    model.embed_positions = torch.nn.Embedding.from_pretrained(model.embed_positions.weight[: len(frames)])
    model.config.max_source_positions = len(frames)
    with torch.inference_mode():
        expected = model(whisper_mel(prompt), output_hidden_states=True).hidden_states[layer][0].numpy()
    assert_close(frames, expected)
