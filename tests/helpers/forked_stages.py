"""Stages of preprocess in forks of a process that has imported everything already, killed at a chosen moment.

`ForkServer.run` forks and runs one command line. A fork can be killed (SIGKILL) at its n-th change of a file, as
Python's audit events tell them: just before it renames or removes something or makes a folder, or when it has just
opened a file to write it and nothing is in it yet. Or it can be killed after some seconds.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
SHARD_SECONDS = 3.0


@dataclass(frozen=True)
class Outcome:
    """How a fork ended."""

    was_killed: bool
    status: int  # exit status where it was not killed
    changes: int  # of files, where it was not killed
    seconds: float


class ForkServer:
    """Use as a context manager."""

    def __enter__(self) -> "ForkServer":
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def run(self, argv: list[str], log: Path, kill_at: int = 0, kill_after: float = 0.0) -> Outcome:
        """Run `hmst preprocess ARGV`, its output appended to `log`; 0 kills at no change, or after no time."""
        request = {"argv": argv, "log": str(log), "kill_at": kill_at, "kill_after": kill_after}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return Outcome(**json.loads(self._process.stdout.readline()))


def serve() -> None:
    import fairseq.data.indexed_dataset  # noqa: F401
    import joblib  # noqa: F401
    import sentencepiece  # noqa: F401
    import sklearn.cluster  # noqa: F401
    import soundfile  # noqa: F401

    from preprocess.speech import shards
    from preprocess.stages import binarize, kmeans, subwords  # noqa: F401

    shards.SHARD_SECONDS = SHARD_SECONDS
    for line in sys.stdin:
        print(json.dumps(run_fork(**json.loads(line))), flush=True)


def run_fork(argv: list[str], log: str, kill_at: int, kill_after: float) -> dict[str, Any]:
    reader, writer = os.pipe()
    start = time.monotonic()
    process_id = os.fork()
    if process_id == 0:
        os._exit(run_child(argv, log, kill_at, writer))
    os.close(writer)
    if kill_after:
        time.sleep(kill_after)
        os.kill(process_id, signal.SIGKILL)
    _, status = os.waitpid(process_id, 0)
    with open(reader) as file:
        changes = int(file.read() or 0)
    return {
        "was_killed": os.WIFSIGNALED(status),
        "status": os.WEXITSTATUS(status),
        "changes": changes,
        "seconds": time.monotonic() - start,
    }


def run_child(argv: list[str], log: str, kill_at: int, writer: int) -> int:
    from preprocess.__main__ import main

    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    changes = 0

    def count(event: str, arguments: tuple) -> None:
        nonlocal changes
        is_file = event == "open" and not isinstance(arguments[0], int)  # and no stream that is there already
        is_write = is_file and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGES or is_write:
            changes += 1
            if changes == kill_at:
                if is_write and arguments[2] & os.O_TRUNC:
                    os.close(os.open(arguments[0], arguments[2]))
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    status = main(argv)
    os.write(writer, str(changes).encode())
    return status


if __name__ == "__main__":
    serve()
