import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("stage", ["kmeans", "units"])
def test_it_prints_a_row_of_plausible_figures_for_each_length(stage: str):
    command = [sys.executable, "examples/benchmarks/memory.py", "--stage", stage, "--clusters", "8"]
    done = subprocess.run(
        [*command, "--hours", "0.01", "0.02"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    rows = [[field.strip() for field in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]
    assert [row[:4] for row in rows] == [[stage, "0.01", "6", "8"], [stage, "0.02", "12", "8"]]
    assert all(30 < int(row[4]) < 1000 for row in rows)  # MB
