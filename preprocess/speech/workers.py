"""Many calls of one function on many workers: processes of this machine, or of a Dask or Ray cluster.

Workers of a cluster need this package installed, and one file system on which a path names the same file everywhere.
"""

import contextlib
import functools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..errors import PreprocessError
from ..files.program.options import option
from .worker_number import folder_of_numbers, take_number

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
JoblibOptions = dict[str, int | str]  # of joblib.Parallel

DEAD_WORKER = "a worker died, for want of memory perhaps; run again to go on"


@dataclass(frozen=True)
class Workers:
    """Options of every stage that can be spread over workers; `run` makes the calls there."""

    backend: str = option(
        "loky: processes of this machine; dask, ray: the workers of --scheduler",
        "loky",
        choices=("loky", "dask", "ray"),
    )
    count: int = option(
        "loky: processes, 1 being this one alone; dask, ray: begin when N are there, use all",
        1,
        flag="workers",
        metavar="N",
    )
    scheduler: str | None = option(
        "of the Dask scheduler (tcp://HOST:PORT) or Ray cluster (HOST:PORT)", None, metavar="ADDRESS"
    )

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            PreprocessError: they lie outside their range, or do not go together.
        """
        if self.backend not in BACKENDS:
            raise PreprocessError(f"--backend must be one of {', '.join(BACKENDS)}, got '{self.backend}'")
        if self.count < 1:
            raise PreprocessError(f"--workers must be at least 1, got {self.count}")
        if (self.backend == "loky") != (self.scheduler is None):
            raise PreprocessError(
                "--backend dask and ray need --scheduler ADDRESS, loky takes none; "
                f"got --backend {self.backend}, --scheduler {self.scheduler}"
            )

    def run(
        self, function: Callable[..., Result], calls: Sequence[tuple[object, ...]], own_gpus: bool = False
    ) -> Iterator[Result]:
        """Results of `function(*call)` for each call, as they come.

        Args:
            function: makes a result.
            calls: its arguments.
            own_gpus: let Ray, which knows of them, give each worker a GPU that the others do not see.

        Raises:
            PreprocessError: a worker died, for want of memory perhaps (Dask gives its work to others first).
            Whatever `function` raises; calls that have not begun are dropped.
        """
        import joblib

        if self.backend == "loky" and self.count > 1:
            function = functools.partial(_call_in_child, os.getpid(), folder_of_numbers(), function)
        with BACKENDS[self.backend](self, own_gpus) as options:
            try:
                parallel = joblib.Parallel(batch_size=1, **options)
                yield from parallel(joblib.delayed(function)(*call) for call in calls)
            except BrokenProcessPool as error:
                raise PreprocessError(f"{DEAD_WORKER}: {error}") from error


def _call_in_child(parent_id: int, numbers: Path, function: Callable[..., Result], *call: object) -> Result:
    _end_with(parent_id)
    take_number(numbers)
    return function(*call)


@functools.lru_cache
def _end_with(parent_id: int) -> None:
    """End this process when its parent does: those of loky outlive a killed parent by minutes, with all they hold."""

    def wait() -> None:
        while os.getppid() == parent_id:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def _loky(workers: Workers, own_gpus: bool) -> Iterator[JoblibOptions]:
    yield {"n_jobs": workers.count, "return_as": "generator_unordered"}


@contextlib.contextmanager
def _dask(workers: Workers, own_gpus: bool) -> Iterator[JoblibOptions]:
    import joblib

    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise PreprocessError("--backend dask needs Dask: pip install 'dask[distributed]'") from error
    with Client(workers.scheduler, set_as_default=False) as client, joblib.parallel_config("dask", client=client):
        logger.info("waiting for workers at %s until there are %d", workers.scheduler, workers.count)
        client.wait_for_workers(workers.count)
        try:
            # All calls at once, so that workers that come later have work too.
            yield {"return_as": "generator_unordered", "pre_dispatch": "all"}
        except KilledWorker as error:
            raise PreprocessError(f"{DEAD_WORKER}: {error}") from error


@contextlib.contextmanager
def _ray(workers: Workers, own_gpus: bool) -> Iterator[JoblibOptions]:
    import joblib

    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise PreprocessError("--backend ray needs Ray: pip install ray") from error
    ray.init(address=workers.scheduler)
    try:
        kind = "GPU" if own_gpus else "CPU"
        logger.info("waiting for %ss at %s until there are %d", kind, workers.scheduler, workers.count)
        while (number := int(ray.cluster_resources().get(kind, 0))) < workers.count:
            time.sleep(1)
        register_ray()
        with joblib.parallel_config("ray", n_jobs=number, ray_remote_args={"num_gpus": 1} if own_gpus else None):
            yield {}  # its backend has no generators: the results come all together
    except ray.exceptions.RayActorError as error:
        raise PreprocessError(f"{DEAD_WORKER}: {error}") from error
    finally:
        ray.shutdown()


BACKENDS = {"loky": _loky, "dask": _dask, "ray": _ray}
