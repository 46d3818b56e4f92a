"""fairseq-train as a process of its own, whose output is logged and followed."""

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

PASSED_ON = (signal.SIGINT, signal.SIGTERM)
PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
SIGNAL_STATUS = 128  # of a shell: a process that signal n ended has status 128 + n


class ChildProcess:
    """A running process; made by `started`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process, self._log = process, log
        self.was_signalled = False

    def lines(self) -> Iterator[str]:
        """Lines of its output and errors, until it ends; each is in the log before it is given."""
        assert self._process.stdout is not None
        with self._log.open("a", encoding="utf-8") as log:
            for line in self._process.stdout:
                log.write(line)
                log.flush()
                yield line.rstrip("\n")

    def exit_status(self) -> int:
        """Wait for its end; the status as a shell gives it."""
        status = self._process.wait()
        return SIGNAL_STATUS - status if status < 0 else status

    def pass_on(self, number: int, frame: FrameType | None) -> None:
        """Send a signal to it and its own processes; from the second time on, kill them."""
        number = signal.SIGKILL if self.was_signalled else number
        self.was_signalled = True
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:  # it has just ended
            return


def _end_with_parent() -> None:
    """Let Linux end this process where its parent is killed.

    Else it would go on, beside the training that is started again in the same folder.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def started(command: Sequence[str], log: Path) -> Iterator[ChildProcess]:
    """A process that runs `command`; interruptions of this process are passed on to it.

    It leads a group of processes of its own, so that Ctrl-C reaches it once, through this process. If this process
    fails, so does that.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )
    child = ChildProcess(process, log)
    # Python allows handlers in its main thread alone
    numbers = PASSED_ON if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, child.pass_on) for number in numbers}
    try:
        yield child
    except BaseException:
        child.pass_on(signal.SIGTERM, None)
        raise
    finally:
        process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)
