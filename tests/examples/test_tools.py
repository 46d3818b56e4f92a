"""The tools that examples share: measuring a command, reading learning curves."""

import json

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
