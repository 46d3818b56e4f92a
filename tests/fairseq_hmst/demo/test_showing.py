"""Answers as HTML."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairseq_hmst.demo.answers import Answer, Choices
from fairseq_hmst.demo.heads import HeadAnswer
from fairseq_hmst.demo.showing import segment_names, show_error, show_segment, show_text
from fairseq_hmst.translate.formats import as_srt
from fairseq_hmst.translate.results import Hypothesis, Segment, Translation

BEST, SECOND = Hypothesis("deux <chats>", -0.25, ()), Hypothesis("deux chiens", -1.5, ())
SEGMENT = Segment(61.52, 63.0, (BEST, SECOND), transcript="two cats")
TRANSLATOR = SimpleNamespace(decoding="ctc", folder=SimpleNamespace(card=SimpleNamespace(decodings=("ctc",))))


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


def test_the_transcript_is_shown_where_the_model_makes_one():
    assert "two cats" in show_text(answer_of(SEGMENT))
    assert "Heard" not in show_text(answer_of(replace(SEGMENT, transcript=None)))


def downloads(html):
    """Contents of the files that can be downloaded, by name."""
    found = re.findall(r'download="([^"]*)" href="data:[^,]*;base64,([^"]*)"', html)
    return {name: base64.b64decode(data).decode() for name, data in found}


def test_downloads_are_what_the_command_writes():
    recording = Path("/srv/cache/x1/hello.wav")
    answer = replace(answer_of(SEGMENT), translation=Translation(str(recording), (SEGMENT,)), recording=recording)
    files = downloads(show_text(answer))
    assert files["hello.srt"] == as_srt(answer.translation) + "\n"
    (found,) = json.loads(files["hello.json"])
    assert found["file"] == "hello.wav"
    assert [each["text"] for each in found["segments"][0]["nbest"]] == ["deux <chats>", "deux chiens"]


def test_of_text_there_are_no_subtitles():
    files = downloads(show_text(Answer(Translation("two cats", (SEGMENT,)), Choices())))
    assert files.keys() == {"translation.json"}
    assert json.loads(files["translation.json"])[0]["source"] == "two cats"


def test_a_segment_shows_all_hypotheses_with_their_scores(no_picture):
    html = show_segment(TRANSLATOR, answer_of(SEGMENT), 0)
    for words in ("-0.250", "deux &lt;chats&gt;", "-1.500", "deux chiens", "cannot be shown: no path."):
        assert words in html
    assert "two cats" not in html  # it stands beside the answer
    assert "two cats" in show_segment(TRANSLATOR, answer_of(SEGMENT, SEGMENT), 1)


def test_heads_stand_side_by_side_with_their_times(no_picture, monkeypatch):
    heads = [HeadAnswer("ctc", "deux <chats>", 0.123), HeadAnswer("attention", "", 1.5)]
    monkeypatch.setattr("fairseq_hmst.demo.showing.compare_heads", lambda *arguments: heads)
    html = show_segment(TRANSLATOR, answer_of(SEGMENT), 0)
    columns = [re.sub("<[^>]*>", "|", column) for column in html.split('class="hmst-head"')[1:]]
    expected = ("CTC (the answer above)|deux &lt;chats&gt;|0.12 s", "Attention|(no words)|1.50 s")
    for words, column in zip(expected, columns, strict=True):
        assert all(part in column for part in words.split("|"))


def test_a_recording_that_was_deleted_is_not_drawn():
    html = show_segment(TRANSLATOR, answer_of(SEGMENT, recording=Path("gone.wav")), 0)
    assert "deleted the recording" in html and "deux chiens" in html


def test_markup_in_a_fault_stays_text():
    assert "<b>" not in show_error("<b>x</b>.wav: not audio")
