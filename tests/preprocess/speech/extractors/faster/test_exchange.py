"""The faster parts against those of transformers, and what happens where they do not fit."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from preprocess.speech.extractors import load_extractor
from preprocess.speech.extractors.faster import convolutions, gated_attention
from preprocess.speech.extractors.faster import exchange as faster
from preprocess.speech.extractors.faster.convolutions import Convolutions
from preprocess.speech.extractors.faster.exchange import choose_products, speed_up
from preprocess.speech.extractors.faster.gated_attention import GatedAttention, PositionBias

ENCODERS = ["wavlm-layer", "wavlm-group", "hubert-layer", "wav2vec2-layer", "wav2vec2-group", "data2vec-layer"]


@pytest.fixture
def wavlm(tmp_path: Path, make_encoder) -> torch.nn.Module:
    return make_encoder(tmp_path, "wavlm-layer")


def exchanged(model: torch.nn.Module) -> set[str]:
    """Kinds of the forwards that are not those of their class."""
    return {type(vars(module)["forward"]).__name__ for module in model.modules() if "forward" in vars(module)}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_faster_parts_are_used_with_the_installed_transformers(tmp_path, make_encoder, encoder: str, caplog):
    make_encoder(tmp_path, encoder)
    extractor = load_extractor(str(tmp_path), 2, "cpu")
    assert extractor.is_fast
    expected = {"Linear", "FeedForward"}
    expected |= {"Convolutions"} if encoder.endswith("layer") else set()
    expected |= set() if encoder.startswith("data2vec") else {"Positions"}
    expected |= {"GatedAttention"} if encoder.startswith("wavlm") else set()
    assert exchanged(extractor._model) == expected
    assert not [name for name, _ in extractor._model.named_modules() if "parametrizations" in name]
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("encoder", "options", "left_alone"),
    [
        ("wavlm-layer", {"hidden_act": "relu"}, "FeedForward"),
        ("hubert-layer", {"conv_pos_batch_norm": True}, "Positions"),
    ],
)
def test_parts_of_another_kind_are_left_alone(tmp_path, make_encoder, encoder: str, options: dict, left_alone: str):
    make_encoder(tmp_path, encoder, **options)
    extractor = load_extractor(str(tmp_path), 2, "cpu")
    assert extractor.is_fast and left_alone not in exchanged(extractor._model)


def test_weights_of_linear_layers_are_not_held_twice(tmp_path, wavlm):
    model = load_extractor(str(tmp_path), 2, "cpu")._model
    names = {name.rsplit(".", 2)[1] for name, _ in model.named_parameters() if name.endswith(".weight")}
    assert names.isdisjoint({"projection", "q_proj", "k_proj", "v_proj", "out_proj"})
    assert names.isdisjoint({"intermediate_dense", "output_dense"})


@pytest.mark.parametrize("encoder", ["wavlm-layer", "wav2vec2-layer", "data2vec-layer"])
@pytest.mark.parametrize("conv_bias", [False, True])
def test_convolutions_equal_the_feature_extractor(tmp_path, make_encoder, encoder: str, conv_bias: bool, monkeypatch):
    module = make_encoder(tmp_path, encoder, conv_bias=conv_bias).feature_extractor
    fast = Convolutions(module)
    with torch.inference_mode():
        for num_samples in (400, 719, 720, 721, 5000, 16_123):
            waveforms = torch.randn(3, num_samples)
            expected = module(waveforms)
            for size in (64, 7, 1):
                monkeypatch.setitem(convolutions.PIECE_FRAMES, "cpu", size)
                torch.testing.assert_close(fast(waveforms), expected, rtol=1e-4, atol=1e-5)


def test_convolutions_of_other_kernels_and_strides(tmp_path, make_encoder):
    options = {"conv_dim": (16, 8, 8), "conv_kernel": (7, 2, 5), "conv_stride": (3, 2, 2)}
    module = make_encoder(tmp_path, "wav2vec2-layer", **options).feature_extractor
    with torch.inference_mode():
        for num_samples in (60, 61, 500):
            waveforms = torch.randn(2, num_samples)
            torch.testing.assert_close(Convolutions(module)(waveforms), module(waveforms), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mask_elements", [2**20, 1, 2000])
def test_gated_attention_equals_that_of_transformers(wavlm, mask_elements: int, monkeypatch):
    monkeypatch.setitem(gated_attention.MASK_ELEMENTS, "cpu", mask_elements)
    attentions = [layer.attention for layer in wavlm.encoder.layers]
    assert isinstance(attentions[0], WavLMAttention)
    bias = PositionBias(attentions[0])
    hidden = torch.randn(3, 29, 32)
    mask = torch.arange(29) < torch.tensor([[29], [17], [1]])
    expected_bias = None
    with torch.inference_mode():
        for attention in attentions:  # the first makes the bias that the others use
            for attention_mask in (None, mask):
                expected, _, made = attention(hidden, attention_mask=attention_mask, position_bias=expected_bias)
                found, weights, handed_on = GatedAttention(attention, bias)(hidden, attention_mask=attention_mask)
                assert weights is None and handed_on is None
                counts = torch.ones_like(mask) if attention_mask is None else mask
                torch.testing.assert_close(found[counts], expected[counts], rtol=1e-4, atol=1e-5)
            expected_bias = made


@pytest.mark.parametrize("max_frames", [3000, 5])
def test_the_bias_by_distance_equals_the_whole_one(wavlm, max_frames: int, monkeypatch):
    monkeypatch.setattr(gated_attention, "MAX_FRAMES", max_frames)
    attention = wavlm.encoder.layers[0].attention
    bias = PositionBias(attention)
    for num_frames in (3, 1, 5, 900, 40):  # 900 is longer than the buckets of distances reach, and than one table here
        expected = attention.compute_bias(num_frames, num_frames)
        assert torch.equal(bias.for_reversed_keys(num_frames).flip(2), expected)


def test_what_does_not_fit_leaves_the_model_as_it_was(tmp_path, wavlm, waveforms, monkeypatch, caplog, assert_close):
    expected = load_extractor(str(tmp_path), 2, "cpu").frames(waveforms)
    monkeypatch.setattr(faster, "PositionBias", lambda attention: attention.made_by_another_version())
    _touch(tmp_path)
    extractor = load_extractor(str(tmp_path), 2, "cpu")
    assert not extractor.is_fast and exchanged(extractor._model) == set()
    assert extractor._model.encoder.layers[0].attention.q_proj.weight.shape == (32, 32)
    assert "cannot be sped up" in caplog.text and "no attribute 'made_by_another_version'" in caplog.text
    for found, frames in zip(extractor.frames(waveforms), expected, strict=True):
        assert_close(found, frames)


def test_other_frames_leave_the_model_as_it_was(tmp_path, wavlm, waveforms, monkeypatch, caplog, assert_close):
    expected = load_extractor(str(tmp_path), 2, "cpu").frames(waveforms)
    monkeypatch.setattr(GatedAttention, "_gates", lambda self, hidden: torch.ones(len(hidden), 4, hidden.shape[1], 1))
    _touch(tmp_path)
    extractor = load_extractor(str(tmp_path), 2, "cpu")
    assert not extractor.is_fast and exchanged(extractor._model) == set()
    assert extractor._model.encoder.layers[0].attention.q_proj.weight.shape == (32, 32)
    assert "cannot be sped up, frames take longer (the frames differ by" in caplog.text
    for found, frames in zip(extractor.frames(waveforms), expected, strict=True):
        assert_close(found, frames)


def test_folding_weight_norms_keeps_the_weight(wavlm):
    before = wavlm.encoder.pos_conv_embed.conv.weight.detach().clone()
    folded = copy.deepcopy(wavlm)
    assert speed_up(folded, torch.inference_mode()(lambda: folded(torch.ones(1, 4000)).last_hidden_state))
    conv = folded.encoder.pos_conv_embed.conv
    assert torch.equal(conv.weight, before) and "weight" in dict(conv.named_parameters())


def test_tf32_is_for_gpus_where_frames_stay_close(caplog):
    def model(error: float):
        def run() -> torch.Tensor:
            products = torch.backends.cuda.matmul.fp32_precision
            return torch.full((3, 4), 1 + error if products == "tf32" else 1.0)

        return run

    assert choose_products("cpu", model(0)) == "ieee"
    assert choose_products("cuda", model(0.001)) == "tf32"
    assert choose_products("cuda", model(0.02)) == "ieee"
    assert choose_products("cuda", model(np.nan)) == "ieee"
    assert "TF32 changes frames by 2.0e-02" in caplog.text


def _touch(folder: Path) -> None:
    """`load_extractor` keeps what it loaded last until a file changes."""
    path = folder / "config.json"
    path.write_text(path.read_text() + "\n")
