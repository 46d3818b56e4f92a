"""Frames against `hidden_states[n]` of the whole model as transformers computes them, for tiny random encoders."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers

from preprocess.__main__ import main
from preprocess.errors import ExtractorError, NotFiniteError
from preprocess.files.units import read_units
from preprocess.speech.extractors import describe, load_described, load_extractor
from preprocess.speech.extractors import waveform as waveform_module

NUM_LAYERS = 3
ENCODERS = [
    "wavlm-layer",
    "wavlm-group",
    "hubert-layer",
    "hubert-group",
    "wav2vec2-layer",
    "wav2vec2-group",
    "data2vec-layer",
]


def hidden_states(model: torch.nn.Module, waveform: np.ndarray, do_normalize: bool = True) -> list[np.ndarray]:
    """By the definition: normalised by hand, one utterance, nothing cut."""
    if do_normalize:
        waveform = (waveform - waveform.mean()) / np.sqrt(waveform.var() + 1e-7)
    with torch.inference_mode():
        output = model(torch.from_numpy(waveform)[None], output_hidden_states=True)
    return [hidden[0].numpy() for hidden in output.hidden_states]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_frames_of_every_layer_equal_hidden_states(tmp_path, waveforms, encoder: str, make_encoder, assert_close):
    model = make_encoder(tmp_path, encoder)
    expected = hidden_states(model, waveforms[0])
    assert len(expected) == NUM_LAYERS + 1
    for layer in range(1, NUM_LAYERS + 1):
        extractor = load_extractor(str(tmp_path), layer, "cpu")
        assert_close(extractor.frames([waveforms[0]])[0], expected[layer])
        assert np.abs(expected[layer] - expected[layer - 1]).max() > 0.1  # the layers can be told apart


@pytest.mark.parametrize("encoder", ENCODERS)
def test_one_by_one_equals_batched(tmp_path, waveforms, encoder: str, make_encoder, assert_close):
    model = make_encoder(tmp_path, encoder)
    extractor = load_extractor(str(tmp_path), 2, "cpu")
    for waveform, batched in zip(waveforms, extractor.frames(waveforms), strict=True):
        assert_close(batched, extractor.frames([waveform])[0])
        assert_close(batched, hidden_states(model, waveform)[2])


def test_weights_that_are_not_finite_are_refused_where_a_frame_depends_on_them(tmp_path, make_encoder):
    model = make_encoder(tmp_path, "wavlm-layer")
    name = "encoder.layers.1.attention.q_proj.weight"
    model.get_parameter(name).data[3, 0] = torch.nan
    model.masked_spec_embed.data[0] = torch.nan
    model.save_pretrained(tmp_path)
    with pytest.raises(NotFiniteError, match=f"{tmp_path}: {name} holds NaN or infinite values in row 3 of 32; downl"):
        load_extractor(str(tmp_path), 2, "cpu")
    assert load_extractor(str(tmp_path), 1, "cpu").layer == 1


@pytest.mark.parametrize(("limit", "sizes"), [(160_000, [3]), (20_000, [2, 1]), (1, [1, 1, 1])])
def test_what_is_computed_at_once_is_bounded_and_the_frames_are_the_same(
    tmp_path, make_encoder, assert_close, monkeypatch, limit: int, sizes: list[int]
):
    model = make_encoder(tmp_path, "wavlm-layer")
    extractor = load_extractor(str(tmp_path), 2, "cpu")
    random = np.random.default_rng(0)
    waveforms = [random.standard_normal(length).astype(np.float32) for length in (8000, 10_000, 6000)]
    monkeypatch.setitem(waveform_module.BATCH_SAMPLES, "cpu", limit)
    assert [len(batch) for batch in extractor._batches(waveforms)] == sizes
    for waveform, frames in zip(waveforms, extractor.frames(waveforms), strict=True):
        assert_close(frames, hidden_states(model, waveform)[2])


@pytest.mark.parametrize("do_normalize", [True, False])
def test_waveforms_are_normalised_as_the_preprocessor_config_says(
    tmp_path, waveforms, do_normalize: bool, make_encoder, assert_close
):
    model = make_encoder(tmp_path, "wavlm-layer", do_normalize)
    loud = 0.3 + 0.5 * waveforms[0]
    found = load_extractor(str(tmp_path), 2, "cpu").frames([loud])[0]
    assert_close(found, hidden_states(model, loud, do_normalize)[2])
    assert np.abs(found - hidden_states(model, loud, not do_normalize)[2]).max() > 1e-3


def test_layers_above_are_not_there(tmp_path, make_encoder):
    make_encoder(tmp_path, "wavlm-layer")
    assert len(load_extractor(str(tmp_path), 2, "cpu")._model.encoder.layers) == 2


def test_a_length_adapter_is_left_out(tmp_path, waveforms, make_encoder, assert_close):
    model = make_encoder(tmp_path, "wav2vec2-layer", add_adapter=True, num_adapter_layers=1)
    found = load_extractor(str(tmp_path), NUM_LAYERS, "cpu").frames([waveforms[0]])[0]
    assert_close(found, hidden_states(model, waveforms[0])[NUM_LAYERS])


def test_a_checkpoint_with_a_head_gives_the_same_frames(tmp_path, waveforms, make_encoder, assert_close):
    bare = make_encoder(tmp_path / "bare", "wav2vec2-layer")
    with_head = transformers.Wav2Vec2ForCTC(bare.config)
    with_head.wav2vec2 = bare
    with_head.save_pretrained(tmp_path / "head")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / "head")
    found, expected = (
        load_extractor(str(tmp_path / name), 2, "cpu").frames(waveforms[:1])[0] for name in ("head", "bare")
    )
    assert_close(found, expected)


def test_float16_weights_are_computed_in_float32(tmp_path, waveforms, make_encoder, assert_close):
    model = make_encoder(tmp_path, "hubert-layer").half()
    model.save_pretrained(tmp_path)
    expected = hidden_states(model.float(), waveforms[0])[2]
    assert_close(load_extractor(str(tmp_path), 2, "cpu").frames([waveforms[0]])[0], expected)


def test_frames_are_float32_under_autocast_too(tmp_path, monkeypatch, waveforms, make_encoder, assert_close):
    make_encoder(tmp_path, "wavlm-layer")
    # the faster products of a CPU are float32 anyway
    monkeypatch.setattr(waveform_module, "speed_up", lambda *_: False)
    extractor = load_extractor(str(tmp_path), 2, "cpu")
    expected = extractor.frames(waveforms)
    with torch.autocast("cpu", torch.bfloat16):
        found = extractor.frames(waveforms)
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other, 0.1)
        assert not np.array_equal(one, other)


def test_25_ms_give_one_frame_and_less_is_refused(tmp_path, waveforms, make_encoder):
    make_encoder(tmp_path, "wavlm-layer")
    extractor = load_extractor(str(tmp_path), 1, "cpu")
    assert extractor.frames([waveforms[0][:400]])[0].shape == (1, 32)
    with pytest.raises(ExtractorError, match=r"makes no frame of 399 samples; expected 400"):
        extractor.frames([waveforms[0], waveforms[0][:399]])


def test_a_hub_name_loads_what_was_downloaded(tmp_path, monkeypatch, waveforms, make_encoder, assert_close):
    model = make_encoder(tmp_path, "wavlm-layer")
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **options: str(tmp_path))
    extractor = load_extractor("someone/tiny-wavlm", 1, "cpu")
    assert (extractor.name, extractor.source) == ("tiny-wavlm", "someone/tiny-wavlm")
    assert_close(extractor.frames([waveforms[0]])[0], hidden_states(model, waveforms[0])[1])


def test_the_hash_follows_the_weights_and_a_described_extractor_must_have_them(tmp_path, make_encoder, shake):
    first = make_encoder(tmp_path / "first", "wavlm-layer")
    description = describe(load_extractor(str(tmp_path / "first"), 2, "cpu"))
    assert description.layer == 2 and description.name == "first"
    (tmp_path / "first").rename(tmp_path / "moved")
    again = load_described(description, "cpu", source=str(tmp_path / "moved"))
    assert describe(again) == replace(description, name="moved", source=str(tmp_path / "moved"))
    shake(first).save_pretrained(tmp_path / "moved")
    with pytest.raises(ExtractorError, match=r"is not the one of the k-means: expected the hash"):
        load_described(description, "cpu", source=str(tmp_path / "moved"))


def test_the_stages_run_with_a_speech_encoder_and_go_on_to_the_same_bytes(
    tmp_path, make_manifest, monkeypatch, make_encoder
):
    manifest, encoder = make_manifest(), tmp_path / "tiny-wavlm"
    make_encoder(encoder, "wavlm-layer")
    monkeypatch.setattr("preprocess.speech.frames.BATCH_SECONDS", 1.2)
    source = ["--manifest", manifest, "--extractor", encoder]
    fit = ["kmeans", *source, "--layer", 2, "--clusters", 10, "--portion", 1, "--out", tmp_path / "kmeans"]
    assert main([str(argument) for argument in fit]) == 0
    encode = ["units", *source, "--kmeans", tmp_path / "kmeans", "--out", tmp_path / "train.units"]
    assert main([str(argument) for argument in encode]) == 0
    whole = (tmp_path / "train.units").read_bytes()
    assert len(list(read_units(tmp_path / "train.units"))) == 6
    broken, content = tmp_path / "audio/5.wav", (tmp_path / "audio/5.wav").read_bytes()
    broken.write_bytes(b"")
    assert main([str(argument) for argument in encode]) == 1
    broken.write_bytes(content)
    assert main([str(argument) for argument in encode]) == 0
    assert (tmp_path / "train.units").read_bytes() == whole
