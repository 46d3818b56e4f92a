import io
import sys
import threading

import pytest

from preprocess.files.program import progress as progress_module
from preprocess.files.program.progress import count_progress, polled, show_progress, show_waiting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time that tqdm sees, in seconds; the only item may be changed."""
    now = [1000.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    return now


def shown(monkeypatch, file: io.StringIO, clock: list[float], steps: int, seconds: float) -> str:
    """What `steps` updates, each after some seconds, leave on stderr."""
    monkeypatch.setattr(sys, "stderr", file)
    with show_progress("train.units: audio", "s", total=steps + 5, done=5) as progress:
        for _ in range(steps):
            clock[0] += seconds
            progress.update(1)
    return file.getvalue()


def test_in_a_file_there_is_a_line_now_and_then(monkeypatch, clock):
    lines = shown(monkeypatch, io.StringIO(), clock, steps=6000, seconds=0.1).splitlines()
    assert 10 <= len(lines) <= 12  # of ten minutes
    assert not any("\r" in line for line in lines)
    assert lines[0].startswith("train.units: audio:  10% 606/6005")
    assert lines[-1].startswith("train.units: audio: 100% 6005/6005")


def test_a_line_comes_also_where_work_slows_down(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    with show_progress("x", "s", total=100_000) as progress:
        for _ in range(50_000):
            clock[0] += 0.002
            progress.update(1)
        numbers = []
        for _ in range(20):
            clock[0] += 61
            progress.update(1)
            numbers.append(len(file.getvalue().splitlines()))
    assert numbers == list(range(numbers[0], numbers[0] + 20))


def test_short_work_leaves_no_line(monkeypatch, clock):
    assert shown(monkeypatch, io.StringIO(), clock, steps=10, seconds=0.1) == ""


def test_on_a_terminal_a_bar_moves_every_half_second(monkeypatch, clock):
    text = shown(monkeypatch, Terminal(), clock, steps=100, seconds=0.1)
    assert 15 <= text.count("\r") <= 25
    assert "5/105" in text and "105/105" in text


def test_items_are_counted_as_they_are_asked_for(monkeypatch, clock):
    monkeypatch.setattr(progress_module, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    assert list(count_progress([3, 4], "check", " rows")) == [3, 4]
    assert list(count_progress(iter([5]), "check", " rows")) == [5]
    assert "check: 100% 2/2" in file.getvalue() and "check: 1 rows" in file.getvalue()


def test_while_a_block_says_nothing_its_time_is_shown(monkeypatch):
    for name in ("POLL_SECONDS", "SILENT_SECONDS", "LINE_SECONDS"):
        monkeypatch.setattr(progress_module, name, 0.01)
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    with show_waiting("learn 4000 unit pieces"):
        while "learn 4000 unit pieces: 00:00\n" not in file.getvalue():
            pass
    assert file.getvalue().endswith("\n")


def test_polling_ends_with_the_block_and_tells_its_end(monkeypatch):
    monkeypatch.setattr(progress_module, "POLL_SECONDS", 0.001)
    told = threading.Semaphore(0)
    threads = threading.active_count()
    with polled(told.release):
        assert told.acquire(timeout=10) and told.acquire(timeout=10)
    assert threading.active_count() == threads
    assert told.acquire(timeout=0)
    with pytest.raises(ValueError, match="broken"), polled(told.release):
        raise ValueError("broken")
    assert threading.active_count() == threads
