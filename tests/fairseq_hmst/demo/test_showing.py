"""Answers as HTML."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairseq_hmst.demo.answers import Answer, Choices
from fairseq_hmst.demo.showing import segment_names, show_error, show_segment, show_text
from fairseq_hmst.translate.results import Hypothesis, Segment, Translation

BEST, SECOND = Hypothesis("deux <chats>", -0.25, ()), Hypothesis("deux chiens", -1.5, ())
SEGMENT = Segment(61.52, 63.0, (BEST, SECOND), transcript="two cats")
TRANSLATOR = SimpleNamespace(decoding="ctc")


@pytest.fixture
def no_picture(monkeypatch):
    def make_picture(*arguments):
        raise ValueError("no path")

    monkeypatch.setattr("fairseq_hmst.demo.showing.make_picture", make_picture)


def answer_of(*segments, recording=Path(__file__)):
    return Answer(Translation("x", segments), Choices(), recording)


def test_the_text_of_all_segments_is_shown():
    other = replace(SEGMENT, nbest=(Hypothesis("trois", -1.0, ()),))
    assert "deux &lt;chats&gt; trois" in show_text(answer_of(SEGMENT, other))
    assert "Nobody speaks" in show_text(answer_of())


def test_segments_are_named_by_time_and_text():
    assert segment_names(answer_of(SEGMENT)) == ["1:01.5 – 1:03.0  deux <chats>"]


def test_a_segment_shows_transcript_and_all_hypotheses_with_their_scores(no_picture):
    html = show_segment(TRANSLATOR, answer_of(SEGMENT), 0)
    for words in ("two cats", "-0.250", "deux &lt;chats&gt;", "-1.500", "deux chiens", "cannot be shown: no path."):
        assert words in html


def test_a_model_without_source_ctc_says_so(no_picture):
    assert "no CTC on the source" in show_segment(TRANSLATOR, answer_of(replace(SEGMENT, transcript=None)), 0)


def test_text_has_no_transcript(no_picture):
    assert "Transcript" not in show_segment(TRANSLATOR, answer_of(SEGMENT, recording=None), 0)


def test_a_recording_that_was_deleted_is_not_drawn():
    html = show_segment(TRANSLATOR, answer_of(SEGMENT, recording=Path("gone.wav")), 0)
    assert "deleted the recording" in html and "deux chiens" in html


def test_markup_in_a_fault_stays_text():
    assert "<b>" not in show_error("<b>x</b>.wav: not audio")
