"""Test recordings made worse: their noise, their lengths, and what stays of the manifest."""

import csv
import runpy
import sys

import numpy as np
import pytest
import soundfile
from toy import REPOSITORY

from preprocess.speech.audio import load_audio

SCRIPT = REPOSITORY / "examples" / "evidence" / "corpora" / "degraded.py"
RATE = 16_000


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Tables of two recordings, the second an octave above and half as loud, by name."""
    seconds = np.arange(RATE) / RATE
    for name, pitch, loudness in (("a", 300, 0.4), ("b", 600, 0.2)):
        soundfile.write(tmp_path / f"{name}.wav", loudness * np.sin(2 * np.pi * pitch * seconds), RATE, subtype="FLOAT")
    header = "id\taudio\toffset\tduration\tsrc_lang\ttgt_lang\tsrc_text\ttgt_text\tspeaker\n"
    rows = "".join(f'{name}\t{name}.wav\t\t1.0\ten\tfr\tsay "{name}"\tdites\t\n' for name in "ab")
    (tmp_path / "test.tsv").write_text(header + rows, encoding="utf-8")
    options = ["--manifest", str(tmp_path / "test.tsv"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["degraded.py", *options])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    tables = {}
    for path in (tmp_path / "out").glob("test_*.tsv"):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tmp_path, tables


def test_noise_has_its_ratio_to_each_recording_and_texts_stay(made):
    folder, tables = made
    assert sorted(tables) == ["test_noise_10", "test_noise_20", "test_noise_5", "test_speed_0.9", "test_speed_1.1"]
    for ratio in (20, 10, 5):
        for row in tables[f"test_noise_{ratio}"]:
            clean, worse = load_audio(folder / f"{row['id']}.wav"), load_audio(folder / "out" / row["audio"])
            noise = worse - clean
            assert 10 * np.log10((clean**2).sum() / (noise**2).sum()) == pytest.approx(ratio, abs=0.1)
            assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.05  # white
            assert row["src_text"] == f'say "{row["id"]}"'


def test_speed_moves_length_and_pitch(made):
    folder, tables = made
    for speed in (0.9, 1.1):
        for row, pitch in zip(tables[f"test_speed_{speed}"], (300, 600), strict=True):
            samples = load_audio(folder / "out" / row["audio"])
            assert len(samples) == pytest.approx(RATE / speed, abs=2)
            assert float(row["duration"]) == pytest.approx(1 / speed, abs=1e-3)
            found = np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples)
            assert found == pytest.approx(speed * pitch, abs=3)
