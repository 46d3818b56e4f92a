"""LiveTranslator with a neural speech encoder, tiny and with random weights, of which units come by a window."""

import numpy as np
import pytest
import torch
import transformers
from prompt_models import make_prompt_data_bin, random_checkpoint

from fairseq_hmst.export import ExportOptions, export
from fairseq_hmst.live import LiveTranslator
from fairseq_hmst.live.options import LiveOptions
from fairseq_hmst.live.units.windowed_stream import WindowedStream
from fairseq_hmst.translate import Translator

RATE = 16_000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An open model of CTC whose folder has the encoder."""
    folder = tmp_path_factory.mktemp("neural")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.HubertConfig(**sizes, conv_dim=(8,) * 7, num_conv_pos_embedding_groups=2)
    transformers.HubertModel(config).save_pretrained(folder / "encoder")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder / "encoder")
    kmeans = f"{{extractor: {folder / 'encoder'}, layer: 1, clusters: 16, portion: 1.0}}"
    data_bin = make_prompt_data_bin(folder / "data", kmeans=kmeans)
    checkpoint = random_checkpoint(folder / "random.pt", data_bin)
    export([[checkpoint]], data_bin, folder / "model", ExportOptions(include_encoder=""))
    return Translator.from_pretrained(folder / "model").model


def hear(model, samples, size, **options):
    """The translator behind the end of the samples, and what each piece committed."""
    translator = LiveTranslator(model, LiveOptions().changed({"beam": 1, **options}))
    committed = [translator.feed(samples[start : start + size]).committed for start in range(0, len(samples), size)]
    return translator, [*committed, translator.finish().committed]


def test_waiting_gives_the_translation_of_the_recording(model, stream):
    translator, _ = hear(model, stream, 5000, policy="wait")
    expected = Translator(model, translator._translator.options).translate(stream, sampling_rate=RATE)
    assert translator.text == expected.text != ""


def test_text_comes_while_it_is_heard_whatever_the_pieces_are(model, stream):
    translator, committed = hear(model, stream, 4000, chunk_seconds=0.25, look_ahead_seconds=0.2)
    assert len([text for text in committed[:-1] if text]) > 3
    for size in (160, len(stream)):
        assert hear(model, stream, size, chunk_seconds=0.25, look_ahead_seconds=0.2)[0].text == translator.text


def test_the_window_bounds_what_the_encoder_hears(model, stream, monkeypatch):
    lengths, encode = [], WindowedStream._encode

    def note(units):
        lengths.append(len(units._samples))
        encode(units)

    monkeypatch.setattr(WindowedStream, "_encode", note)
    speech = np.tile(stream[np.abs(stream) > 0.003], 4)[: 12 * RATE]  # without pauses
    options = {"encoder_left_seconds": 1.0, "encoder_look_ahead_seconds": 0.2, "max_segment_seconds": 6}
    hear(model, speech, 8000, **options)
    # at a cut, within what was heard, both sides are heard anew
    assert np.percentile(lengths, 70) < 2 * RATE < max(lengths) < 6 * RATE


def test_a_chunk_as_long_as_may_be_is_heard(model, stream):
    translator, committed = hear(model, np.tile(stream, 5), 8000, chunk_seconds=30.0, encoder_left_seconds=24.0)
    assert translator.text and all(text == "" for text in committed[:59])
