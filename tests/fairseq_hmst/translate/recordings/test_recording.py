"""Stretches of recordings, and what is kept of them."""

from pathlib import Path

import numpy as np

from fairseq_hmst.translate import TranslationError
from fairseq_hmst.translate.recordings.recording import Recording, Stretch


def make_recording(path: Path) -> Recording:
    return Recording(str(path), path, 0.0, None, None, 20.0)


def test_times_of_units_follow_their_run_lengths_and_end_with_the_stretch(tmp_path):
    stretch = Stretch(make_recording(tmp_path), 1.5, None, 0.19)
    stretch.waveform = np.zeros(3040, np.float32)
    stretch.set_units(np.array([4, 2, 4]), np.array([3, 1, 6]), 0.02)
    assert stretch.units == (4, 2, 4)
    assert stretch.unit_times == ((1.5, 1.56), (1.56, 1.58), (1.58, 1.69))
    assert len(stretch.waveform) == 0


def test_a_length_is_looked_up_or_the_fault_is_kept_with_its_parts(tmp_path):
    recording = make_recording(tmp_path / "gone.wav").with_length()
    assert isinstance(recording.fault, TranslationError)
    assert (recording.fault.places, recording.fault.found) == ((str(tmp_path / "gone.wav"),), "audio file not found")
    assert recording.seconds == 0
