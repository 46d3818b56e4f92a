"""What the page makes of a request: a translation, or a fault in words; and the languages to choose from."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from toy import build_task

from fairseq_hmst.demo.answers import (
    Choices,
    PageError,
    in_minutes,
    language_choices,
    translate_recording,
    translate_text,
)
from fairseq_hmst.translate import TranslationError
from fairseq_hmst.translate.results import Translation


class StubTranslator:
    """Gives one translation, and keeps what it was asked."""

    def __init__(self, **fields):
        self.translation = Translation("x", **fields)
        self.folder = SimpleNamespace(path=Path("/srv/models/tiny"))
        self.asked = []

    def with_options(self, **options):
        self.asked.append(options)
        return self

    def translate(self, paths, skip_faults):
        assert skip_faults
        fault = self.translation.fault
        return [replace(self.translation, fault=None if fault is None else fault.at(*paths))]

    def translate_text(self, lines, skip_faults):
        assert skip_faults
        self.asked.append(lines)
        return [self.translation]


@pytest.fixture
def recording(tmp_path):
    soundfile.write(tmp_path / "hello.wav", np.zeros(3 * 8000), 8000)
    return str(tmp_path / "hello.wav")


def test_nothing_to_translate_is_said():
    with pytest.raises(PageError, match="Record something or choose a file first"):
        translate_recording(StubTranslator(), None, Choices(), 60.0)
    with pytest.raises(PageError, match="Write something first"):
        translate_text(StubTranslator(), " \n ", Choices(), 50)


def test_too_long_a_recording_is_refused_before_any_work(recording):
    with pytest.raises(PageError, match="hello.wav is too long: 0:03.0, and this page takes at most 0.025 minutes"):
        translate_recording(StubTranslator(), recording, Choices(), 1.5)


def test_a_fault_names_the_file_but_not_where_the_server_keeps_it(recording):
    fault = TranslationError("too short: 9.0 ms; expected at least 25 ms", advice="leave the row out")
    translator = StubTranslator(fault=fault)
    with pytest.raises(PageError) as caught:
        translate_recording(translator, recording, Choices(), 60.0)
    assert str(caught.value) == "hello.wav: too short: 9.0 ms; expected at least 25 ms."


def test_a_model_that_lacks_its_speech_encoder_says_so(recording, monkeypatch):
    translator = StubTranslator()
    monkeypatch.setattr(translator, "translate", _no_encoder)
    with pytest.raises(PageError, match="^tiny: no speech encoder.$"):
        translate_recording(translator, recording, Choices(), 60.0)


def test_choices_reach_the_translator(recording):
    translator = StubTranslator()
    translate_recording(translator, recording, Choices(3, "en", "de"), 60.0)
    assert translator.asked == [{"nbest": 3, "source_language": "en", "target_language": "de"}]


def test_lines_of_text_are_joined_to_one():
    translator = StubTranslator()
    translate_text(translator, " two\ncats  sleep ", Choices(), 50)
    assert translator.asked[1] == ["two cats sleep"]


def test_languages_are_offered_where_the_model_has_several(toy_task, two_target_data_bin):
    several = build_task(two_target_data_bin).data_bin
    assert [language_choices(toy_task.data_bin, side) for side in ("source", "target")] == [[], []]
    assert [language_choices(several, side) for side in ("source", "target")] == [[], ["de", "fr"]]


@pytest.mark.parametrize(("seconds", "expected"), [(0.04, "0:00.0"), (59.96, "1:00.0"), (600, "10:00.0")])
def test_times_are_read_in_minutes(seconds, expected):
    assert in_minutes(seconds) == expected


def _no_encoder(*arguments, **options):
    raise TranslationError("no speech encoder", place="/srv/models/tiny", advice="name it by --encoder")
