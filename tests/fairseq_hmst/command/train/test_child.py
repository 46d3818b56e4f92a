"""A child process whose output is kept, and which interruptions reach."""

import os
import signal
import sys

import pytest

from fairseq_hmst.command.train.child import started


def test_output_and_errors_are_given_and_appended_to_the_log(tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    code = "import os, sys; os.write(1, b'one\\n'); os.write(2, b'tw\\xff\\n'); sys.exit(3)"
    with started([sys.executable, "-c", code], log) as child:
        assert list(child.lines()) == ["one", "tw\ufffd"]
        assert child.exit_status() == 3
    assert log.read_text(encoding="utf-8") == "before\none\ntw\ufffd\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_goes_to_the_child_and_its_own_processes(tmp_path, number, status):
    before = signal.getsignal(number)
    command = ["bash", "-c", "sleep 60 & echo ready; trap 'kill $!; trap - INT; kill -INT $$' INT; wait"]
    with started(command, tmp_path / "log") as child:
        lines = child.lines()
        assert next(lines) == "ready"
        os.kill(os.getpid(), number)
        assert list(lines) == []
        assert child.exit_status() == status
        assert child.was_signalled
    assert signal.getsignal(number) == before


def test_a_second_signal_kills(tmp_path):
    with started(["bash", "-c", "trap '' INT; echo ready; sleep 60"], tmp_path / "log") as child:
        lines = child.lines()
        next(lines)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert list(lines) == []
        assert child.exit_status() == 137


def test_an_error_of_the_follower_ends_the_child(tmp_path):
    with pytest.raises(RuntimeError, match="in the follower"), started(["sleep", "60"], tmp_path / "log"):
        raise RuntimeError("in the follower")
