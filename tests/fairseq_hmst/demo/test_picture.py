"""What a picture is made of: spans with their times, and weights that leave nothing out."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from toy import build_model, build_task

from fairseq_hmst.alignment import align
from fairseq_hmst.demo.picture import make_picture
from fairseq_hmst.translate.results import Hypothesis, Segment

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1}
TOKENS = (5, 9, 4)


def translator_of(task):
    return SimpleNamespace(task=task, models=[build_model(task, "hmst_aed_tiny", **SMALL)], decoding="attention")


def hypothesis():
    return Hypothesis("text", -1.0, TOKENS)


def spoken_segment(data_bin, begin):
    """Three subwords of one unit each, 0.1 s long, from `begin` on; nothing is spoken at the end of sentence."""
    pieces = [chr(data_bin.card.first_unit_character + unit) for unit in (2, 0, 1)]
    source = [data_bin.source_dictionary.index(piece) for piece in pieces]
    times = tuple((begin + 0.1 * number, begin + 0.1 * (number + 1)) for number in range(3))
    end = data_bin.source_dictionary.eos()
    return Segment(
        begin,
        begin + 0.4,
        (hypothesis(),),
        None,
        (2, 0, 1),
        times,
        source_tokens=(*source, end),
        source_times=(*times, None),
    )


@pytest.fixture
def recording(tmp_path):
    """Two seconds of two channels whose mean is 0.1 in each first half second and -0.3 in each second."""
    mean = np.tile(np.repeat([0.1, -0.3], 4000), 2)
    soundfile.write(tmp_path / "x.wav", np.stack([mean + 0.2, mean - 0.2], 1), 8000, subtype="FLOAT")
    return tmp_path / "x.wav"


def test_spans_count_from_the_begin_of_the_segment_and_hints_from_that_of_the_file(toy_task, recording):
    segment = spoken_segment(toy_task.data_bin, begin=1.0)
    picture = make_picture(translator_of(toy_task), segment, hypothesis(), None, recording)
    assert picture.length == pytest.approx(0.4)
    assert [span.start for span in picture.units] == pytest.approx([0.0, 0.1, 0.2])
    assert [(span.start, span.end) for span in picture.sources] == [(span.start, span.end) for span in picture.units]
    assert [span.label for span in picture.units] == ["2", "0", "1"]
    assert picture.sources[0].hint == "units 2, 1.00 to 1.10 s"
    assert len(picture.peaks) == pytest.approx(80, abs=2)


def test_the_sound_is_that_of_the_segment_with_its_channels_averaged(toy_task, recording):
    segment = spoken_segment(toy_task.data_bin, begin=1.3)
    samples, rate = soundfile.read(
        io.BytesIO(make_picture(translator_of(toy_task), segment, hypothesis(), None, recording).flac)
    )
    assert rate == 8000
    np.testing.assert_allclose(samples, np.repeat([0.1, -0.3], 1600), atol=1e-4)


def test_weights_on_the_sound_and_elsewhere_make_up_the_alignment(toy_task, recording):
    translator, segment = translator_of(toy_task), spoken_segment(toy_task.data_bin, begin=0.0)
    picture = make_picture(translator, segment, hypothesis(), None, recording)
    eos = toy_task.target_dictionary.eos()
    tokens = (torch.tensor(segment.source_tokens), torch.tensor(TOKENS), torch.tensor([eos]))
    expected = align(translator.models, "attention", *tokens).numpy()
    np.testing.assert_allclose(picture.weights, expected[:, :3])
    np.testing.assert_allclose(picture.elsewhere, expected[:, 3])
    assert list(picture.tokens) == [toy_task.target_dictionary[token] for token in TOKENS]


@pytest.mark.parametrize("target", [None, "de"])
def test_repeated_source_text_is_one_subword_again(request, toy_task, target):
    task = toy_task if target is None else build_task(request.getfixturevalue("two_target_data_bin"))
    data_bin = task.data_bin
    first = data_bin.card.dictionary.first_source_subword
    pieces = [first + 1, first + 1, first + 4]  # a piece that stands twice in the text stays two
    repeated = torch.tensor([*np.repeat(pieces, data_bin.card.repeat).tolist(), data_bin.source_dictionary.eos()])
    source = tuple(data_bin.language_symbols.add_to_source(repeated, "en", target).tolist())
    segment = Segment(None, None, (hypothesis(),), source_tokens=source, source_times=(None,) * len(source))
    picture = make_picture(translator_of(task), segment, hypothesis(), target, None)
    assert [span.label for span in picture.sources] == [data_bin.source_dictionary[piece] for piece in pieces]
    assert picture.length == 3 and picture.peaks is None
    np.testing.assert_allclose(picture.weights.sum(1) + picture.elsewhere, 1.0, rtol=1e-5)
    assert (picture.elsewhere < 0.5).all()
