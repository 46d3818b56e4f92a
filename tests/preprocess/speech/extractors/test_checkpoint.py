"""Folders and names that cannot be loaded, each refused with what to do."""

import sys

import pytest
import transformers

from preprocess.errors import ExtractorError
from preprocess.speech.extractors import load_extractor

NUM_LAYERS = 3


@pytest.mark.parametrize(("layer", "found"), [(None, "none"), (0, "0"), (-1, "-1"), (NUM_LAYERS + 1, "4")])
def test_a_layer_out_of_range_is_refused_with_the_range(tmp_path, layer: int | None, found: str, make_encoder):
    make_encoder(tmp_path, "wavlm-layer")
    with pytest.raises(ExtractorError, match=rf"expected --layer in 1..{NUM_LAYERS}, .* found {found}$"):
        load_extractor(str(tmp_path), layer, "cpu")


def test_a_folder_without_preprocessor_config_is_refused(tmp_path, make_encoder):
    make_encoder(tmp_path, "wavlm-layer")
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(ExtractorError, match=r"preprocessor_config.json is missing or broken"):
        load_extractor(str(tmp_path), 1, "cpu")


def test_a_model_that_is_no_speech_encoder_is_refused(tmp_path):
    transformers.BertConfig().save_pretrained(tmp_path)
    with pytest.raises(ExtractorError, match=r"expected a speech encoder \(wavlm, .* found a 'bert'"):
        load_extractor(str(tmp_path), 1, "cpu")


def test_a_folder_without_weights_or_config_is_refused(tmp_path, make_encoder):
    with pytest.raises(ExtractorError, match=r"config.json cannot be used"):
        load_extractor(str(tmp_path), 1, "cpu")
    make_encoder(tmp_path, "wavlm-layer")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ExtractorError, match=r"no weights; expected model.safetensors"):
        load_extractor(str(tmp_path), 1, "cpu")


def test_weights_that_lack_a_layer_are_refused(tmp_path, make_encoder):
    make_encoder(tmp_path, "wavlm-layer")
    config = transformers.WavLMConfig.from_pretrained(tmp_path)
    config.num_hidden_layers = 5
    config.save_pretrained(tmp_path)
    with pytest.raises(ExtractorError, match=r"lacks \d+ weights of the encoder, such as encoder.layers.3"):
        load_extractor(str(tmp_path), 4, "cpu")


def test_broken_weights_and_an_unknown_device_are_refused(tmp_path, make_encoder):
    make_encoder(tmp_path, "wavlm-layer")
    with pytest.raises(ExtractorError, match=r"to the device 'nonsense'"):
        load_extractor(str(tmp_path), 1, "nonsense")
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(ExtractorError, match=r"cannot load the weights"):
        load_extractor(str(tmp_path), 1, "cpu")


def test_a_name_that_is_nothing_is_refused(monkeypatch):
    def refuse(name: str, **options: object) -> str:
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(ExtractorError, match=r"'someone/encoder' is neither a folder nor a hub name .*`mfcc`"):
        load_extractor("someone/encoder", 1, "cpu")


def test_without_transformers_the_user_is_told_what_to_install(tmp_path, make_encoder, monkeypatch):
    make_encoder(tmp_path, "wavlm-layer")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ExtractorError, match=r"AutoConfig of transformers cannot be imported .*; install transformers"):
        load_extractor(str(tmp_path), 1, "cpu")
