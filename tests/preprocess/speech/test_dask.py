"""The stages that go over audio on a real Dask cluster: a scheduler and two workers, each a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from preprocess.__main__ import main
from preprocess.speech import shards as shards_module

pytest.importorskip("distributed")

ROOT = Path(__file__).resolve().parents[3]
SLOW_DECODING = """
import time
from preprocess.speech import audio, frames
frames.load_sound = lambda *segment: time.sleep(0.1) or audio.load_sound(*segment)
"""


@dataclass
class Cluster:
    address: str
    workers: list[subprocess.Popen]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Workers take 0.1 s longer for each file than they need, so that they can be stopped in the middle."""
    file = tmp_path / "scheduler.json"
    (tmp_path / "slow.py").write_text(SLOW_DECODING)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    scheduler_options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    worker_options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--preload", str(tmp_path / "slow.py")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{name}", "--scheduler-file", str(file), *options],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        for name, options in (("scheduler", scheduler_options), ("worker", worker_options), ("worker", worker_options))
    ]
    deadline = time.time() + 60
    while not file.exists() and time.time() < deadline:
        time.sleep(0.1)
    yield Cluster(json.loads(file.read_text())["address"], processes[1:])
    for process in processes:
        process.kill()
        process.wait()


def test_with_a_worker_killed_in_the_middle_the_bytes_are_those_of_a_serial_run(
    cluster: Cluster, make_manifest, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 1.0)
    manifest = str(make_manifest(count=24))
    kmeans = ["kmeans", "--manifest", manifest, "--extractor", "mfcc", "--clusters", "8", "--portion", "0.5"]
    units = ["units", "--manifest", manifest, "--kmeans", str(tmp_path / "serial/kmeans")]
    assert main([*kmeans, "--out", str(tmp_path / "serial/kmeans")]) == 0
    assert main([*units, "--out", str(tmp_path / "serial/train.units")]) == 0
    on_dask = ["--backend", "dask", "--workers", "2", "--scheduler", cluster.address]
    assert main([*kmeans, *on_dask, "--out", str(tmp_path / "dask/kmeans")]) == 0

    work = tmp_path / "dask/.train.units.work"
    numbers = []

    def kill_a_worker() -> None:
        while not numbers:
            if len(list(work.glob("*.npz"))) >= 3:
                cluster.workers[0].send_signal(signal.SIGKILL)
                numbers.append(len(list(work.glob("*.npz"))))
            time.sleep(0.01)

    thread = threading.Thread(target=kill_a_worker, daemon=True)
    thread.start()
    assert main([*units, *on_dask, "--out", str(tmp_path / "dask/train.units")]) == 0
    assert numbers and numbers[0] < 16  # of 16 shards
    assert cluster.workers[0].wait(timeout=10) == -signal.SIGKILL
    assert cluster.workers[1].poll() is None
    for name in ("kmeans/centroids.npz", "kmeans/card.json", "train.units"):
        assert (tmp_path / "dask" / name).read_bytes() == (tmp_path / "serial" / name).read_bytes()
