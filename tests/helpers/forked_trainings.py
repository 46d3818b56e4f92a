"""Trainings in forks of a process that has imported torch and fairseq already, but nothing of this project.

A fork then does what a user's process does from there on, but for one thing: where fairseq starts processes by
themselves, which would import all again, they are forks as well. The whole of that is tested in test_several_processes.
"""

import contextlib
import faulthandler
import functools
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

TIME_LIMIT = 60  # seconds of one training
ROOT = Path(__file__).resolve().parents[2]
MODULES = {"fairseq-train": "fairseq_cli.train", "fairseq-hydra-train": "fairseq_cli.hydra_train"}


class ForkedTrainings:
    """Use as a context manager."""

    def __enter__(self) -> "ForkedTrainings":
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-W", "ignore::SyntaxWarning", __file__]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *error: object) -> None:
        # not by the end of its input: processes that tests have forked meanwhile hold the pipe open
        self._process.kill()
        self._process.communicate()

    def run(self, command: list[str], log: Path, torchrun: int = 0, kill_at: str = "") -> int:
        """Run a command of fairseq's, or `python -m MODULE ...`; the first exit status that is not 0, or 0.

        It is killed after TIME_LIMIT; the log then has a traceback of each process.

        Args:
            command: its words.
            log: file that its output is written to.
            torchrun: number of processes, started as torchrun does; 0: one, started by itself.
            kill_at: end of the name of a file; the process kills itself when half of such a file is written.
        """
        request = {"command": command, "log": str(log), "torchrun": torchrun, "kill_at": kill_at}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


def serve() -> None:
    import fairseq_cli.hydra_train  # noqa: F401  (hydra finds the project's plugin later, in the fork)
    import sacrebleu  # noqa: F401
    import sentencepiece  # noqa: F401
    import torch._dynamo
    import torch.multiprocessing
    from hydra.core.override_parser.overrides_parser import OverridesParser

    torch.multiprocessing.spawn = functools.partial(torch.multiprocessing.start_processes, start_method="fork")
    OverridesParser.create().parse_overrides(["group.name='a b'", "name=[1.5,true]"])  # fills the tables of its grammar
    gc.freeze()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        request = json.loads(line)
        children = [fork(request, rank) for rank in range(request["torchrun"] or 1)]
        print(wait_for(children), file=answers, flush=True)


def wait_for(children: list[int]) -> int:
    """The first exit status that is not 0, or 0; what still runs then, or after TIME_LIMIT, is killed."""
    deadline, status, running = time.monotonic() + TIME_LIMIT, 0, set(children)
    while running and status == 0:
        for child in list(running):
            ended, code = os.waitpid(child, os.WNOHANG)
            if ended:
                running.remove(child)
                status = status or os.waitstatus_to_exitcode(code)
        if time.monotonic() > deadline:
            status = -signal.SIGABRT
            send(running, signal.SIGABRT)  # each says in the log where it hangs
            time.sleep(1)
        time.sleep(0.01)
    send(children, signal.SIGKILL)
    for child in running:
        os.waitpid(child, 0)
    return status


def send(children: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to forks and to the processes that they have started."""
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, number)


def fork(request: dict, rank: int) -> int:
    port = free_port() if rank == 0 else fork.port
    fork.port = port
    child = os.fork()
    if child:
        os.setpgid(child, child)
        return child
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.enable()
    status = 1
    try:
        if request["torchrun"]:
            ranks = {"WORLD_SIZE": str(request["torchrun"]), "RANK": str(rank), "LOCAL_RANK": str(rank)}
            os.environ.update(ranks | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)})
        if request["kill_at"]:
            kill_when_written(request["kill_at"])
        run_here(request["command"])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def kill_when_written(name_end: str) -> None:
    def watch(event: str, arguments: tuple) -> None:
        if event == "open" and str(arguments[0]).endswith(name_end) and "w" in str(arguments[1]):
            half = os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.write(half, b"half")
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def run_here(command: list[str]) -> None:
    import logging

    import fairseq_cli.hydra_train
    import fairseq_cli.train

    logging.getLogger().handlers.clear()
    logging.basicConfig(format="%(levelname)s | %(name)s | %(message)s", level=logging.INFO, stream=sys.stdout)
    sys.argv = command
    if command[0] in MODULES:
        (fairseq_cli.train if command[0] == "fairseq-train" else fairseq_cli.hydra_train).cli_main()
        return
    module = command.index("-m") + 1  # of a Python
    sys.argv = command[module:]
    runpy.run_module(command[module], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve()
