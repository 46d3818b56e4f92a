"""Translations as text."""

import json
from pathlib import Path

import pytest

from fairseq_hmst.translate import TranslationError
from fairseq_hmst.translate.formats import Json, Lines, Rows, SrtFiles, as_srt
from fairseq_hmst.translate.results import Hypothesis, Segment, Translation
from preprocess.errors import AudioError


def segment(start: float | None, end: float | None, *texts: str) -> Segment:
    return Segment(start, end, tuple(Hypothesis(text, -0.5 * rank, ()) for rank, text in enumerate(texts, start=1)))


TALK = Translation(
    "talk.wav", (segment(0.0, 2.5, "Un.", "Une."), segment(3599.9996, 3725.04, ""), segment(4000.0, 4001.5, "Deux."))
)
NO_AUDIO = TranslationError("not audio", place="bad.wav")
BAD = Translation("bad.wav", fault=NO_AUDIO)


def written(make, *translations: Translation, **options: object) -> list[str]:
    lines: list[str] = []
    writer = make(lines.append, **options)
    for translation in translations:
        writer.add(translation)
    writer.close()
    return lines


def test_subtitles_are_numbered_and_timed_as_subrip_wants_and_skip_what_is_empty():
    assert as_srt(TALK) == "1\n00:00:00,000 --> 00:00:02,500\nUn.\n\n2\n01:06:40,000 --> 01:06:41,500\nDeux."


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "00:00:00,000"), (59.9996, "00:01:00,000"), (3599.9996, "01:00:00,000"), (7325.678, "02:02:05,678")],
)
def test_times_of_subtitles_are_rounded_to_milliseconds(seconds, expected):
    assert as_srt(Translation("a", (segment(0.0, seconds, "x"),))).splitlines()[1] == f"00:00:00,000 --> {expected}"


def test_lines_join_segments_and_leave_faults_out():
    assert written(Lines, TALK, BAD, is_text=False) == ["talk.wav\tUn. Deux."]
    text = [
        Translation("one", (segment(None, None, "un"),)),
        Translation("", ()),
        Translation("x", fault=TranslationError("too long")),
    ]
    assert written(Lines, *text, is_text=True) == ["un", "", ""]


def test_rows_show_times_and_ranks():
    rows = written(Rows, TALK, BAD, is_text=False, ranks=True)
    assert rows[:3] == [
        "file\tstart\tend\trank\tscore\ttext",
        "talk.wav\t0.00\t2.50\t1\t-0.5000\tUn.",
        "talk.wav\t0.00\t2.50\t2\t-1.0000\tUne.",
    ]
    assert len(rows) == 5


def test_json_is_one_array_whether_there_is_something_or_nothing():
    assert json.loads("\n".join(written(Json, is_text=False))) == []
    good, bad = json.loads("\n".join(written(Json, TALK, BAD, is_text=False)))
    assert [entry["text"] for entry in good["segments"]] == ["Un.", "", "Deux."]
    assert [entry["score"] for entry in good["segments"][0]["nbest"]] == [-0.5, -1.0]
    assert bad == {"file": "bad.wav", "error": "bad.wav: not audio"}


def test_subtitles_of_faulty_recordings_are_not_written(tmp_path: Path):
    files = [str(tmp_path / name) for name in ("a.wav", "b.wav")]
    lines: list[str] = []
    writer = SrtFiles(lines.append, files, None)
    writer.add(Translation(files[0], fault=TranslationError("broken")))
    writer.add(Translation(files[1], TALK.segments))
    assert [path.name for path in tmp_path.iterdir()] == ["b.srt"]
    assert lines == [f"{files[1]}\t{tmp_path / 'b.srt'}"]


def test_a_failure_names_its_source_once():
    assert str(BAD.failure) == "bad.wav: not audio"
    assert str(Translation("row-1", fault=NO_AUDIO).failure) == "row-1: bad.wav: not audio"
    assert str(Translation("./bad.wav", fault=NO_AUDIO).failure) == "bad.wav: not audio"
    assert str(Translation("bad.wav", fault=TranslationError("bad.wav.")).failure) == "bad.wav: bad.wav."
    assert TALK.failure is None


def test_a_fault_of_another_kind_keeps_its_parts():
    error = TranslationError.of(AudioError("too short", place="a.wav", advice="leave the row out"))
    assert (error.places, error.found, error.advice) == (("a.wav",), "too short", "leave the row out")
    failure = Translation("row-1", fault=error).failure
    assert failure.places == ("row-1", "a.wav")
    assert error.places == ("a.wav",)


def test_a_translation_sums_up_its_segments():
    assert TALK.text == "Un. Deux."
    assert TALK.score == -0.5
    assert TALK.transcript is None
    heard = Segment(0.0, 1.0, TALK.segments[0].nbest, transcript="one")
    assert Translation("a", (heard, heard)).transcript == "one one"
    assert Translation("a").score == 0.0
