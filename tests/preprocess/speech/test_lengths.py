from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocess.files.faults import Fault
from preprocess.files.manifest import Utterance, write_manifest
from preprocess.speech import lengths as lengths_module
from preprocess.speech.audio import LengthLimits
from preprocess.speech.frames import read_spans
from preprocess.speech.length_memory import LengthMemory
from preprocess.speech.lengths import measure_spans, rows_outside

LIMITS = LengthLimits(0.1, 3.0)
Segment = tuple[float, float | None]  # offset and duration


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a manifest of stretches of one file of 5 s."""
    soundfile.write(tmp_path / "talk.wav", np.zeros(5 * 16_000), 16_000)

    def write(*segments: Segment, audio: str = "talk.wav") -> Path:
        rows = [
            Utterance(f"u{index}", tmp_path / audio, *segment, "en", "fr", "", "x", "")
            for index, segment in enumerate(segments)
        ]
        write_manifest(tmp_path / "train.tsv", rows)
        return tmp_path / "train.tsv"

    return write


def outside(manifest: Path) -> list[Fault]:
    return rows_outside(read_spans(manifest, check_audio=False), LIMITS)


def test_rows_outside_the_limits_are_named_with_file_and_line(write):
    manifest = write((0.0, 3.0), (0.0, 3.1), (1.0, 0.1), (1.0, 0.05), (0.0, None), (2.5, None))
    found = [(row.id, row.location, row.reason.split(": ", 1)[1]) for row in outside(manifest)]
    advice = "cut it into rows with offset and duration"
    assert found == [
        ("u1", f"{manifest}:3", f"too long: 3.1 s, expected at most 3 s; {advice}"),
        ("u3", f"{manifest}:5", "too short: 50.0 ms, expected at least 100 ms; leave the row out"),
        ("u4", f"{manifest}:6", f"too long: 5.0 s, expected at most 3 s; {advice}"),
    ]


def test_all_rows_of_a_stretch_are_named(write):
    manifest = write((0.0, 4.0), (1.0, 1.0), (0.0, 4.0))
    assert [row.location for row in outside(manifest)] == [
        f"{manifest}:2",
        f"{manifest}:4",
    ]


def test_a_stretch_that_is_cut_at_the_end_of_its_file_is_measured_as_it_is_cut(write):
    assert outside(write((2.0, 3.04))) == []


def test_a_row_whose_length_is_not_known_and_cannot_be_found_is_named(write):
    manifest = write((0.0, None), (0.0, 1.0), audio="none.wav")
    assert [(row.id, row.reason.split(": ")[1]) for row in outside(manifest)] == [("u0", "audio file not found")]


def test_a_length_that_was_found_is_kept_until_its_file_changes(write, tmp_path: Path, monkeypatch):
    spans = read_spans(write((0.0, None), (2.5, None), (1.0, 2.0)), check_audio=True)
    limits = LengthLimits()

    def measured() -> list[float]:
        with LengthMemory.kept_in(tmp_path / "work/lengths") as memory:
            return [item.seconds for item in measure_spans(spans, limits, memory)]

    first = measured()
    with open(tmp_path / "work/lengths", "a") as file:
        file.write("a line that a killed run did not write to its e")
    damaged = (tmp_path / "work/lengths").read_text().replace(" 5.0 ", " 8.0 ")
    (tmp_path / "work/lengths").write_text(damaged)
    assert measured() == first
    with monkeypatch.context() as patch:
        patch.setattr("preprocess.speech.lengths.measure_audio", None)  # nothing is looked for
        assert measured() == measured() == first == [5.0, 2.5, 2.0]
    soundfile.write(tmp_path / "talk.wav", np.zeros(4 * 16_000), 16_000)
    assert measured() == [4.0, 1.5, 2.0]


def test_seconds_are_those_of_the_manifest_or_else_of_the_file(write):
    spans = read_spans(write((0.0, 2.0), (2.5, None), (4.0, 3.0)), check_audio=True)
    measured = measure_spans(spans, LIMITS)
    assert [item.seconds for item in measured] == [2.0, 2.5, 3.0]  # the last is not looked at: decoding will tell
    assert [item.span for item in measured] == spans


def test_at_another_speed_the_length_there_must_lie_within_the_limits(write):
    manifest = write((0.0, 2.8), (0.0, 3.2), (1.0, 0.095), (0.0, 2.0))
    spans = read_spans(manifest, check_audio=True, speeds=(1.0, 0.9, 1.1))
    found = [
        (row.id, row.location[-1], row.reason.partition("talk.wav")[2].split(";")[0])
        for row in rows_outside(spans, LIMITS)
    ]
    assert found == [
        ("sp0.9-u0", "2", " at speed 0.9: too long: 3.1 s, expected at most 3 s"),
        ("u1", "3", ": too long: 3.2 s, expected at most 3 s"),
        ("sp0.9-u1", "3", " at speed 0.9: too long: 3.6 s, expected at most 3 s"),
        ("u2", "4", ": too short: 95.0 ms, expected at least 100 ms"),
        ("sp1.1-u2", "4", " at speed 1.1: too short: 86.4 ms, expected at least 100 ms"),
    ]
    seconds = {item.span.ids[0]: item.seconds for item in measure_spans(spans, LIMITS)}
    assert [seconds[f"{prefix}u3"] for prefix in ("", "sp0.9-", "sp1.1-")] == [2.0, 2.0 / 0.9, 2.0 / 1.1]


def test_the_header_of_a_file_is_read_once_for_all_speeds(write, tmp_path: Path, monkeypatch):
    spans = read_spans(write((2.5, None)), check_audio=True, speeds=(1.0, 0.5, 2.0))
    asked = []
    measure = lengths_module.measure_audio
    monkeypatch.setattr(lengths_module, "measure_audio", lambda *stretch: asked.append(stretch) or measure(*stretch))
    with LengthMemory.kept_in(tmp_path / "work/lengths") as memory:
        assert [item.seconds for item in measure_spans(spans, LengthLimits(), memory)] == [2.5, 5.0, 1.25]
    assert len(asked) == 1
