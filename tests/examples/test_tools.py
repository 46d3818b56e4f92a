"""The tools that examples share: measuring a command, reading learning curves."""

import importlib
import json
import sys

import numpy as np
import soundfile
from toy import REPOSITORY, run_command

TOOLS = REPOSITORY / "examples" / "tools"


def test_measure_writes_seconds_and_peak_memory_of_a_command(tmp_path):
    result = tmp_path / "result.json"
    hold_200_mb = "import time; block = bytearray(200_000_000); time.sleep(1)"
    assert run_command("python", TOOLS / "measure.py", result, "python", "-c", hold_200_mb).returncode == 0
    measured = json.loads(result.read_text())
    assert measured["seconds"] >= 1
    assert 190 < measured["peak_memory_mb"] < 400


def test_measure_writes_nothing_for_a_command_that_fails(tmp_path):
    result = tmp_path / "result.json"
    assert run_command("python", TOOLS / "measure.py", result, "python", "-c", "raise SystemExit(3)").returncode == 3
    assert not result.exists()


def test_curves_stand_side_by_side_by_updates(tmp_path):
    for name, points in {"one": {100: 1.5, 200: 30.0}, "two": {200: 40.25}}.items():
        (tmp_path / name).mkdir()
        lines = [
            f"epoch 002 | valid on 'valid' subset | st_nll {at / 50} | bleu {bleu} | bleu_bp 0.2 | num_updates {at}"
            for at, bleu in points.items()
        ]
        (tmp_path / name / "train.log").write_text("epoch 001 | loss 8 | num_updates 50\n" + "\n".join(lines) + "\n")
    result = run_command("python", TOOLS / "curves.py", tmp_path / "one", tmp_path / "two")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["updates", "one", "two"],
        ["100", "1.5", "nan"],
        ["200", "30", "40.25"],
    ]
    (tmp_path / "three").mkdir()
    values = {"epoch": 2, "valid_bleu": "12.5", "valid_st_bleu": "1", "valid_num_updates": "300"}
    (tmp_path / "three" / "train.log").write_text(f"2026 | INFO | valid | {json.dumps(values)}\n")
    result = run_command("python", TOOLS / "curves.py", tmp_path / "three")
    assert result.stdout.split() == ["updates", "three", "300", "12.5"]
    nll = run_command("python", TOOLS / "curves.py", tmp_path / "one", "--metric", "st_nll")
    assert [line.split() for line in nll.stdout.splitlines()] == [["updates", "one"], ["100", "2"], ["200", "4"]]
    unknown = run_command("python", TOOLS / "curves.py", tmp_path / "one", "--metric", "st_nl")
    assert unknown.returncode == 2
    assert f"{tmp_path}/one/train.log: no validation has 'st_nl'" in unknown.stderr


def test_audio_is_compared_with_ffmpeg_file_by_file(tmp_path):
    tone = 0.5 * np.sin(np.arange(16_000) / 20)
    for name in ("a.wav", "b.flac", "deep/c.ogg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, tone, 16_000)
    (tmp_path / "page.mp3").write_text("<!DOCTYPE html>")
    content = (tmp_path / "b.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(content[: len(content) // 2])
    result = run_command("python", TOOLS / "compare_audio.py", tmp_path)
    assert result.returncode == 0, result.stderr
    rows = {line.split()[0]: line.split() for line in result.stdout.splitlines()[1:6]}
    for name in ("a.wav", "b.flac", "deep/c.ogg"):
        seconds, own_seconds, max_difference, rms_difference = map(float, rows[name][1:5])
        assert (own_seconds, rows[name][-1]) == (1.0, "alike")
        assert abs(seconds - own_seconds) < 0.05  # FFmpeg leaves out the begin of Vorbis
        assert rms_difference <= max_difference < 1e-3
    assert "refused by both (not audio but a page of HTML)" in " ".join(rows["page.mp3"])
    assert "refused by us" in " ".join(rows["cut.flac"])
    assert "5 files: 3 alike, 1 refused by us, 1 refused by both" in result.stdout


def test_a_file_of_which_we_give_less_than_ffmpeg_is_exit_status_1(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(TOOLS)
    compare_audio = importlib.import_module("compare_audio")
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000), 16_000)
    soundfile.write(tmp_path / "b.wav", np.zeros(16_000), 16_000)
    monkeypatch.setattr(compare_audio.shutil, "which", lambda program: None)
    monkeypatch.setattr(
        compare_audio, "decode_by_library", lambda path: np.zeros(16_000 + 801 * (path.name == "b.wav"))
    )
    monkeypatch.setattr(sys, "argv", ["compare_audio.py", str(tmp_path)])
    assert compare_audio.main() == 1
    assert "2 files: 1 alike, 1 SHORTER" in capsys.readouterr().out
