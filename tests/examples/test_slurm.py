"""examples/slurm with sbatch and scancel replaced by scripts that run and end the jobs on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocess.__main__ import main
from preprocess.files.manifest import Utterance, write_manifest

pytest.importorskip("dask_jobqueue")

ROOT = Path(__file__).resolve().parents[2]
SBATCH = """#!/bin/sh
cp "$1" "$JOBS/script-$$"
setsid bash "$JOBS/script-$$" > "$JOBS/log-$$" 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -- "-$1"
touch "$JOBS/cancelled-$1"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "jobs").mkdir()
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "JOBS": str(tmp_path / "jobs"), "PYTHONPATH": str(ROOT)}


def write_corpus(folder: Path) -> Path:
    rows = []
    for index in range(6):
        path = folder / f"{index}.wav"
        soundfile.write(path, 0.1 * np.random.default_rng(index).standard_normal(8000), 16_000)
        rows.append(Utterance(f"u{index}", path, 0.0, None, "en", "fr", "a", "b", ""))
    write_manifest(folder / "train.tsv", rows)
    return folder / "train.tsv"


def test_units_made_by_slurm_jobs_are_those_of_a_serial_run(tmp_path: Path, environment: dict[str, str]):
    kmeans, manifest = str(tmp_path / "kmeans"), str(write_corpus(tmp_path))
    assert main(["kmeans", "--manifest", manifest, "--extractor", "mfcc", "--clusters", "4", "--out", kmeans]) == 0
    units = ["units", "--manifest", manifest, "--kmeans", kmeans, "--out"]
    assert main([*units, str(tmp_path / "serial.units")]) == 0
    options = ["--jobs", "2", "--cpus", "3", "--memory", "2GB", "--queue", "short", "--directive=--gres=gpu:1"]
    on_dask = ["--backend", "dask", "--workers", "2", "--scheduler", "SCHEDULER"]
    process = subprocess.run(
        [
            *(sys.executable, str(ROOT / "examples/slurm/cluster.py"), *options, "--"),
            *(sys.executable, "-m", "preprocess", *units, str(tmp_path / "slurm.units"), *on_dask),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "slurm.units").read_bytes() == (tmp_path / "serial.units").read_bytes()
    scripts = [path.read_text() for path in (tmp_path / "jobs").glob("script-*")]
    assert len(scripts) >= 2
    for line in ("#SBATCH -p short", "#SBATCH --cpus-per-task=3", "#SBATCH --mem=2G", "#SBATCH --gres=gpu:1"):
        assert line in scripts[0]
    assert "--nthreads 1" in scripts[0]
    assert list((tmp_path / "jobs").glob("cancelled-*"))  # no job outlives the command
