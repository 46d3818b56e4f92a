"""Jobs in threads that take turns at every call of a torch module, so that what they share by mistake is seen."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from torch.nn.modules.module import register_module_forward_pre_hook

Result = TypeVar("Result")


def in_lockstep(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    """Results of jobs, each in a thread that waits for all others before every call of a module, until one is done."""
    barrier = threading.Barrier(len(jobs))

    def wait(*_: object) -> None:
        try:
            barrier.wait()
        except threading.BrokenBarrierError:
            return

    def run(job: Callable[[], Result]) -> Result:
        try:
            return job()
        finally:
            barrier.abort()

    hook = register_module_forward_pre_hook(wait)
    try:
        with _quick_switches(), ThreadPoolExecutor(len(jobs)) as pool:
            return list(pool.map(run, jobs))
    finally:
        hook.remove()


@contextmanager
def _quick_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
