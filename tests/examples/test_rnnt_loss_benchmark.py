"""The RNN-T loss benchmark runs and prints a line for every loss."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "benchmarks" / "rnnt_loss.py"


def test_the_benchmark_prints_seconds_memory_and_ratios_of_every_loss():
    command = [sys.executable, str(SCRIPT), "--mixed", "--repeats", "1", "--shape", "2", "20", "8", "50", "16"]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert "B 2 T 20 U 8 V 50 J 16, mixed lengths" in finished.stdout
    lines = {line[:20].strip(): line[20:].split() for line in finished.stdout.splitlines()[3:]}
    for method in ("rnnt_loss", "fused_rnnt_loss"):
        seconds, megabytes, *_ = map(float, lines[method])
        assert 0 <= seconds < 60
        assert 0 <= megabytes < 100
