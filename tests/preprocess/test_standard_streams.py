"""How commands end whose output cannot be written, or that a signal ends; each in a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from preprocess.errors import BROKEN_PIPE, INTERRUPTED, TERMINATED, StandardStreamError, Terminated, end_as

ROOT = Path(__file__).resolve().parents[2]
COMMAND = """
import os, sys
from preprocess.errors import exit_status

def work():
    {work}

sys.exit(exit_status(work, interrupted="stopped"))
"""
FULL = "error: standard output: No space left on device; free some, or write elsewhere\n"
PRINTS = {
    "a line": "print('x')",
    "much": "print('x' * 100_000)",
    "each at once": "print('x', flush=True); print('y', flush=True)",
    "a help": "import argparse; argparse.ArgumentParser().parse_args(['--help'])",
    "two commands": "print('x'); sys.exit(exit_status(lambda: print('y')))",
}


def end_of(work: str, **streams: object) -> tuple[int, str]:
    """Exit status, and what is on stderr, of a command."""
    code = COMMAND.format(work=work)
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True, **streams)
    return run.returncode, run.stderr


@pytest.mark.parametrize("work", PRINTS.values(), ids=PRINTS)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_below_stdout_is_named_and_an_early_end_of_its_reader_is_silent(work: str, unbuffered: str):
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        assert end_of(work, stdout=full, env=environment) == (1, FULL)
    reader, writer = os.pipe()
    os.close(reader)
    assert end_of(work, stdout=writer, env=environment) == (141, "")
    os.close(writer)


def test_without_stdout_and_stderr_work_is_done_all_the_same(tmp_path: Path):
    work = f"print('x'); open({str(tmp_path / 'done')!r}, 'w').close()"
    shell = [*("sh", "-c", 'exec "$0" -c "$1" >&- 2>&-'), sys.executable, COMMAND.format(work=work)]
    assert subprocess.run(shell, cwd=ROOT).returncode == 0
    assert (tmp_path / "done").exists()


def test_an_error_that_nobody_reads_leaves_the_status_as_it_is():
    reader, writer = os.pipe()
    os.close(reader)
    code = COMMAND.format(work="open('/nowhere/x')")
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=writer).returncode == 1
    os.close(writer)


@pytest.mark.parametrize(
    ("number", "status", "printed"), [(signal.SIGINT, 130, "stopped\n"), (signal.SIGTERM, 143, "stopped (SIGTERM)\n")]
)
def test_a_signal_cleans_up_and_ends_in_one_line(number: int, status: int, printed: str, tmp_path: Path):
    work = "import signal, tempfile, time\n    with tempfile.TemporaryDirectory(dir='{}'):\n        {}; time.sleep(60)"
    assert end_of(work.format(tmp_path, f"os.kill(os.getpid(), {int(number)})")) == (status, printed)
    assert list(tmp_path.iterdir()) == []


def test_sigterm_ends_a_forked_worker_without_a_word():
    work = "import time\n    child = os.fork()\n    time.sleep(child == 0 and 60)\n    "
    work += "os.kill(child, 15)\n    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) + 20"
    assert end_of(work) == (20 - signal.SIGTERM, "")


@pytest.mark.parametrize(
    ("status", "raised"),
    [(INTERRUPTED, KeyboardInterrupt), (TERMINATED, Terminated), (BROKEN_PIPE, StandardStreamError)],
)
def test_what_ended_a_command_ends_the_one_that_called_it(status: int, raised: type[BaseException]):
    with pytest.raises(raised):
        end_as(status)
    end_as(0)
    end_as(1)
