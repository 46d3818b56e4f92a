"""Streams of visitors: their translations, their bounds, and what is said of faults."""

import base64
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from prompt_models import PROMPTS

from fairseq_hmst.demo.answers import Choices, PageError
from fairseq_hmst.demo.live import streams as module
from fairseq_hmst.demo.live.streams import Piece, Streams
from fairseq_hmst.demo.showing import show_stream
from fairseq_hmst.live import LiveTranslator
from fairseq_hmst.live.options import LiveOptions
from fairseq_hmst.translate import TranslationError

RATE = 8000
CHOICES = Choices()


@pytest.fixture(scope="module")
def samples():
    """Two prompts with a pause between them, (N,) int16."""
    prompts = [soundfile.read(path, dtype="int16") for path in PROMPTS[:2]]
    assert {rate for _, rate in prompts} == {RATE}
    return np.concatenate([prompts[0][0], np.zeros(RATE, np.int16), prompts[1][0]])


@pytest.fixture
def streams(translator):
    return Streams(translator, 60.0)


def pieces_of(samples, size=4000, rate=RATE):
    starts = range(0, len(samples), size)
    return [Piece(rate, samples[at : at + size], at == 0, at == starts[-1]) for at in starts]


def hear(streams, pieces, choices=CHOICES, stream=None):
    """The stream after each piece, as `text | open`, and the stream."""
    shown = []
    for piece in pieces:
        stream = streams.hear(stream, piece, choices)
        shown.append((stream.text, stream.open))
    return shown, stream


def translation(translator, samples, rate=RATE):
    live = LiveTranslator(translator.model, LiveOptions(sampling_rate=rate))
    live.feed(samples)
    return live.text + live.finish().committed


def test_a_stream_grows_to_the_translation_of_a_live_translator(streams, samples, translator):
    shown, stream = hear(streams, pieces_of(samples))
    texts = [text for text, _ in shown]
    assert all(longer.startswith(shorter) for shorter, longer in pairwise(texts))
    assert "" != texts[-2] != texts[-1] == translation(translator, samples)
    assert any(rest for _, rest in shown) and stream.open == ""
    assert stream.is_over and len(streams) == 0
    assert stream.seconds == len(samples) / RATE


def test_streams_at_once_do_not_mix(streams, samples, translator):
    lists = [pieces_of(samples), pieces_of(samples[2 * RATE :])]
    found = [None, None]
    for number in range(len(lists[0])):
        for which, pieces in enumerate(lists):
            if number < len(pieces):
                found[which] = streams.hear(found[which], pieces[number], CHOICES)
        assert len(streams) == sum(number < len(pieces) - 1 for pieces in lists)
    expected = [translation(translator, samples), translation(translator, samples[2 * RATE :])]
    assert [stream.text for stream in found] == expected
    assert expected[0] != expected[1]


def test_a_first_piece_another_rate_and_other_languages_begin_a_stream(streams, samples, translator, monkeypatch):
    options = []

    def make(model, given):
        options.append(given)
        return LiveTranslator(model, replace(given, target_language=None))  # this model has one

    monkeypatch.setattr(module, "LiveTranslator", make)
    first, second, *_ = pieces_of(samples)
    stream = streams.hear(None, first, CHOICES)
    assert streams.hear(stream, second, CHOICES) is stream
    others = [streams.hear(stream, first, CHOICES)]
    others.append(streams.hear(others[-1], replace(second, rate=16_000), CHOICES))
    others.append(streams.hear(others[-1], replace(second, rate=16_000), Choices(target_language="fr")))
    assert [other.seconds for other in others] == [0.5, 0.25, 0.25]
    assert len({stream, *others}) == 4 and len(streams) == 1
    found = [(each.sampling_rate, each.target_language) for each in options]
    assert found == [(RATE, None), (RATE, None), (16_000, None), (16_000, "fr")]
    assert stream.is_over


def test_a_stream_is_finished_when_it_is_too_long(translator, samples):
    streams = Streams(translator, 1.0)
    pieces = pieces_of(samples)
    stream = hear(streams, pieces[:1])[1]
    assert not stream.is_cut
    streams.hear(stream, pieces[1], CHOICES)
    assert stream.is_cut and stream.is_over and len(streams) == 0
    assert stream.text == translation(translator, samples[:RATE])


def test_no_more_streams_than_the_page_holds_and_silent_ones_are_forgotten(streams, samples, monkeypatch):
    monkeypatch.setattr(module, "MAX_STREAMS", 2)
    first, second, *_ = pieces_of(samples)
    going_on = [streams.hear(None, first, CHOICES) for _ in range(2)]
    with pytest.raises(PageError, match="Too many are speaking"):
        streams.hear(None, first, CHOICES)
    going_on[0].last_heard -= module.FORGET_SECONDS + 1
    streams.hear(None, first, CHOICES)
    assert [stream.is_over for stream in going_on] == [True, False]
    assert len(streams) == 2
    with pytest.raises(PageError, match="not heard anything for too long; record again"):
        streams.hear(going_on[0], second, CHOICES)


def test_a_stream_that_was_never_begun_is_said(streams, samples):
    with pytest.raises(PageError, match="record again"):
        streams.hear(None, pieces_of(samples)[1], CHOICES)


def test_a_fault_ends_the_stream_in_words_without_paths(streams, samples, translator, monkeypatch):
    def fail(*arguments):
        raise TranslationError("the model gave NaN", place=translator.folder.path, advice="train it again")

    first, second, *_ = pieces_of(samples)
    stream = streams.hear(None, first, CHOICES)
    monkeypatch.setattr(LiveTranslator, "feed", fail)
    with pytest.raises(PageError, match=f"^{translator.folder.path.name}: the model gave NaN.$"):
        streams.hear(stream, second, CHOICES)
    assert stream.is_over and len(streams) == 0


@pytest.mark.parametrize("rate", [0, -8000, 7, 10**9])
def test_a_rate_at_which_nobody_records_is_refused(streams, rate):
    with pytest.raises(PageError, match=f"nobody records at {rate} Hz."):
        streams.hear(None, Piece(rate, np.zeros(10, np.int16), is_first=True), CHOICES)


def test_a_piece_is_read_as_the_browser_sends_it():
    sound = base64.b64encode(bytes([1, 0, 0, 128])).decode()
    piece = Piece.read({"number": 7, "rate": 48000, "samples": sound, "first": True, "last": False})
    assert (piece.rate, piece.is_first, piece.is_last) == (48000, True, False)
    assert piece.samples.dtype == np.int16 and piece.samples.tolist() == [1, -32768]


@pytest.mark.parametrize(
    "change",
    [
        *({"samples": samples} for samples in ("AAA", "AA==", "AAAA!AAAA", "ä", 5)),
        *({"rate": rate} for rate in ("x", None, float("inf"), float("nan"))),
    ],
)
def test_what_is_no_sound_is_refused(change):
    given = {"rate": 48000, "samples": "AAAAAAAA", "first": True, "last": False}
    for wrong in (given | change, None, [], "x", {}):
        with pytest.raises(PageError, match="What came from the browser is no sound"):
            Piece.read(wrong)


def test_what_may_still_change_stands_behind_what_is_certain_and_markup_stays_text(streams, samples):
    stream = streams.hear(None, pieces_of(samples)[0], CHOICES)
    stream.text, stream.open = "", ""
    assert "Nothing was said yet." in show_stream(stream)
    stream.text, stream.open = "deux <b>", " & <i>"
    assert 'deux &lt;b&gt;<span class="hmst-open"> &amp; &lt;i&gt;</span></p>' in show_stream(stream)
    stream.text, stream.open = "", ""
    streams.end(stream)
    assert "(no words)" in show_stream(stream)
