import io
import sys
from pathlib import Path

import pytest

from preprocess.files.program import progress as progress_module
from preprocess.speech.shard_progress import SecondsDone, shown_progress


@pytest.fixture
def shards(tmp_path: Path, monkeypatch) -> dict[Path, float]:
    """Three shards of ten seconds each, whose progress is looked at all the time."""
    for name, value in (("POLL_SECONDS", 0.001), ("SILENT_SECONDS", 0.0), ("LINE_SECONDS", 0.0)):
        monkeypatch.setattr(progress_module, name, value)
    return {tmp_path / f"{name}.npz": 10.0 for name in "abc"}


def wait_for(log: io.StringIO, seconds: int) -> None:
    """Wait until so many seconds are shown."""
    while f" {seconds}/30 " not in log.getvalue():
        pass


def test_progress_moves_within_shards_and_never_back(shards, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    first, second, third = shards
    first.touch()
    with shown_progress("units: audio", shards):
        with SecondsDone(second) as done:
            for seconds, shown in ((0.6, 10), (0.6, 11), (4.9, 16)):
                done.add(seconds)
                wait_for(log, shown)
            with SecondsDone(third) as other:
                other.add(3.0)
                wait_for(log, 19)
        second.touch()
        wait_for(log, 20)
    counts = [int(line.split("/")[0].split()[-1]) for line in log.getvalue().splitlines()]
    assert counts == sorted(counts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_what_a_killed_run_left_is_not_counted(shards, monkeypatch):
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    SecondsDone(next(iter(shards))).add(7)
    with shown_progress("units: audio", shards):
        wait_for(log, 0)
    assert " 7/30 " not in log.getvalue()


def test_where_progress_cannot_be_told_the_work_goes_on(tmp_path: Path):
    (tmp_path / "file").touch()
    with SecondsDone(tmp_path / "file" / "a.npz") as done:
        done.add(5)
