import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from preprocess.__main__ import main
from preprocess.errors import OutputError
from preprocess.files.lock import locked

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys
from pathlib import Path
from preprocess.files.lock import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(out: Path) -> Iterator[subprocess.Popen]:
    """Holds the lock of `out`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(out)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"locked\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_and_told_of_the_first(tmp_path: Path):
    out = tmp_path / "data"
    with another_process(out) as process:
        message = rf"{out} is being made by process {process.pid} on .* since .*: -c .*{out}; wait until it has ended"
        with pytest.raises(OutputError, match=message), locked(out):
            pass
        (tmp_path / "link").symlink_to(tmp_path)  # another way to spell it
        with pytest.raises(OutputError, match=message), locked(tmp_path / "link" / "data"):
            pass
        with locked(tmp_path / "other"):
            pass


def test_a_killed_run_leaves_no_lock_behind(tmp_path: Path):
    with another_process(tmp_path / "data") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / ".data.lock").exists()
        with locked(tmp_path / "data"):
            assert f"process {os.getpid()} on" in (tmp_path / ".data.lock").read_text()
    assert list(tmp_path.iterdir()) == []


def test_an_error_within_gives_the_lock_up(tmp_path: Path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locked(tmp_path / "data"):
            _ = 1 / 0


def test_a_lock_file_that_was_removed_while_waiting_does_not_count(tmp_path: Path, monkeypatch):
    """The run before may remove it between our opening and our locking it; a third run would then lock a new one."""
    import fcntl

    flock, taken = fcntl.flock, []

    def remove_first(file, operation: int) -> None:
        if not taken:
            (tmp_path / ".data.lock").unlink()
        taken.append(file)
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with locked(tmp_path / "data"):
        assert len(taken) == 2
        assert os.path.samestat(os.fstat(taken[1].fileno()), os.stat(tmp_path / ".data.lock"))


def test_a_file_system_without_locks_is_warned_of(tmp_path: Path, monkeypatch, caplog):
    import fcntl

    def fail(file, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", fail)
    with locked(tmp_path / "data"):
        pass
    assert "no locks there (Operation not supported)" in caplog.text


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=f"cannot write {tmp_path}/file/data: "), locked(tmp_path / "file" / "data"):
        pass


@pytest.mark.parametrize(
    "stage",
    [
        "manifest tsv --root .",
        "kmeans --manifest none.tsv --extractor mfcc",
        "units --manifest none.tsv --kmeans none",
        "subwords --units none.units --source-text none --target-text none",
        "binarize --manifest-dir none --units-dir none --subwords none",
        "inspect none",
        "run RECIPE",
    ],
)
def test_every_stage_refuses_at_once_where_another_is_at_work(tmp_path: Path, capsys, stage: str):
    out = tmp_path / ("data.units" if stage.startswith("units") else "data")
    (tmp_path / "recipe.yaml").write_text(f"out: {out.name}\n")
    with locked(out):
        argv = stage.replace("RECIPE", str(tmp_path / "recipe.yaml")).split()
        assert main([*argv, "--out", str(out)]) == 1
    assert f"error: {out} is being made by process {os.getpid()}" in capsys.readouterr().err
