"""The tab Live: replies to the browser, and whether the page has it."""

import base64
import json

import numpy as np
import pytest

pytest.importorskip("gradio", reason="needs the extra [demo]")

from fairseq_hmst.demo.live.microphone import MICROPHONE
from fairseq_hmst.demo.live.streams import FORGET_SECONDS, Streams
from fairseq_hmst.demo.live.tab import BUTTON_ID, hear
from fairseq_hmst.demo.options import DemoOptions
from fairseq_hmst.demo.page import build_page
from fairseq_hmst.demo.showing import UNEXPECTED


def piece(number, seconds=0.5, first=False, last=False):
    samples = base64.b64encode(np.zeros(round(8000 * seconds), "<i2").tobytes()).decode()
    return {"number": number, "rate": 8000, "samples": samples, "first": first, "last": last}


@pytest.fixture
def streams(translator):
    return Streams(translator, 60.0)


def test_each_piece_has_a_reply_with_its_number_and_the_last_frees_the_stream(streams):
    stream, _, reply = hear(streams, None, piece(4, first=True), None, None)
    assert reply == {"number": 4, "over": False, "words": ""}
    stream, text, reply = hear(streams, stream, piece(5, last=True), None, None)
    assert (stream, reply) == (None, {"number": 5, "over": True, "words": ""})
    assert "(no words)" in text


def test_a_stream_that_is_too_long_says_so(translator):
    _, _, reply = hear(Streams(translator, 0.4), None, piece(1, first=True), None, None)
    assert reply["over"] and "no more than 0:00.5 at once" in reply["words"]


def test_a_fault_is_shown_below_what_was_said_and_ends_the_stream(streams, monkeypatch, caplog):
    stream, _, _ = hear(streams, None, piece(1, first=True), None, None)
    stream.text = "deux chats"
    monkeypatch.setattr(type(stream), "hear", lambda *arguments: 1 / 0)
    none, text, reply = hear(streams, stream, piece(2), None, None)
    assert none is None and reply == {"number": 2, "over": True, "words": ""}
    assert text.index("deux chats") < text.index("hmst-error") < text.index(UNEXPECTED.split(";")[0])
    assert len(streams) == 0
    assert "ZeroDivisionError" in caplog.text
    _, text, reply = hear(streams, None, "nonsense", None, None)
    assert "no sound" in text and reply == {"number": None, "over": True, "words": ""}


def labels_of(translator):
    page = build_page(translator, DemoOptions())
    return page, [each.label for each in page.blocks.values() if each.get_block_name() == "tabitem"]


def test_a_model_without_speech_encoder_has_no_such_tab(translator, monkeypatch):
    assert labels_of(translator)[1] == ["Speech", "Live", "Text"]
    monkeypatch.setattr(type(translator.model.speech), "is_lacking", True)
    assert labels_of(translator)[1] == ["Speech", "Text"]


def test_the_server_forgets_a_visitor_who_has_gone(translator):
    page, _ = labels_of(translator)
    (state,) = [each for each in page.blocks.values() if getattr(each, "time_to_live", None) == FORGET_SECONDS]
    state.delete_callback(None)
    streams = state.delete_callback.__self__
    stream, _, _ = hear(streams, None, piece(1, first=True), None, None)
    state.delete_callback(stream)
    assert stream.is_over and len(streams) == 0


def test_pieces_of_all_visitors_take_turns_with_all_else_that_the_model_does(translator):
    functions = labels_of(translator)[0].fns.values()
    (found,) = [function for function in functions if function.api_name == "on_piece"]
    assert (found.concurrency_id, found.concurrency_limit, found.queue) == ("model", 1, True)
    assert f"getElementById('{BUTTON_ID}')" in MICROPHONE
    assert "hmst.recording" in json.dumps(found.js)
