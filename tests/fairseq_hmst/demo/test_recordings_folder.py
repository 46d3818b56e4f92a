"""The folder of recordings: what is deleted when, and what is never touched."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from toy import REPOSITORY

from fairseq_hmst.demo.recordings_folder import LOCK, PREFIX, delete_older, recordings_folder

PAGE = """
import sys
import threading
from fairseq_hmst.demo.command import ended_by_hangup
from fairseq_hmst.demo.recordings_folder import recordings_folder
from preprocess.errors import exit_status
def work():
    with ended_by_hangup(), recordings_folder(600) as folder:
        (folder / "hash").mkdir()
        (folder / "hash" / "speech.wav").write_bytes(b"speech")
        print(folder, flush=True)
        threading.Event().wait()
sys.exit(exit_status(work))
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def start(tmp_path):
    """Start a process that holds a folder of recordings; it is killed at the end."""
    processes = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", PAGE],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_page_that_is_told_to_end_leaves_nothing(start, number):
    process, folder = start()
    assert (folder / "hash" / "speech.wav").exists()
    process.send_signal(number)
    assert process.wait(20) == 128 + number
    assert not folder.exists()


def test_the_next_page_deletes_what_a_killed_one_left_and_nothing_else(start, tmp_path):
    killed, left = start()
    _, held = start()
    killed.kill()
    killed.wait()
    assert left.exists()
    foreign = tmp_path / f"{PREFIX}notes"
    foreign.mkdir()
    (foreign / "speech.wav").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(foreign)
    (tmp_path / f"{PREFIX}file").touch()
    with recordings_folder(600) as folder:
        assert not left.exists()
        assert (held / "hash" / "speech.wav").exists()
        names = {foreign.name, f"{PREFIX}link", f"{PREFIX}file", held.name, folder.name}
        assert {path.name for path in tmp_path.iterdir()} == names
    assert (foreign / "speech.wav").exists()


def test_old_recordings_and_uploads_that_were_broken_off_are_deleted(monkeypatch):
    with recordings_folder(600) as folder:
        (folder / "hash").mkdir()
        for path in (folder / "hash" / "old.wav", folder / "tmpbroken"):
            path.touch()
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 500)
        delete_older(folder, 600)
        assert (folder / "tmpbroken").exists()
        monkeypatch.setattr(time, "time", lambda: now + 700)
        delete_older(folder, 600)
        assert [path.name for path in folder.rglob("*") if path.is_file()] == [LOCK]


def test_the_folder_is_swept_while_the_page_is_served():
    with recordings_folder(0.01) as folder:
        (folder / "speech.wav").touch()
        deadline = time.monotonic() + 10
        while (folder / "speech.wav").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert folder.stat().st_mode & 0o777 == 0o700
    assert os.environ.get("GRADIO_TEMP_DIR") != str(folder)
