import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import joblib
import pytest
from joblib.parallel import SequentialBackend

from preprocess.errors import PreprocessError
from preprocess.speech.workers import Workers

ROOT = Path(__file__).resolve().parents[3]


def square(number: int) -> int:
    return number * number


def fail_at(number: int, fatal: int) -> int:
    if number == fatal:
        raise PreprocessError(f"{number} is fatal")
    return number


def die(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_one_worker_makes_the_calls_here_and_in_order():
    seen = []
    for result in Workers().run(
        lambda number: (seen.append(number), os.getpid())[1], [(number,) for number in range(4)]
    ):
        assert result == os.getpid()
    assert seen == [0, 1, 2, 3]


def test_several_workers_make_every_call_once():
    assert sorted(Workers(count=2).run(square, [(number,) for number in range(9)])) == [n * n for n in range(9)]


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_within_a_call_comes_out_as_it_was_raised(count: int):
    with pytest.raises(PreprocessError, match="^3 is fatal$"):
        list(Workers(count=count).run(fail_at, [(number, 3) for number in range(5)]))


def test_a_worker_that_dies_is_an_error_that_says_so():
    with pytest.raises(PreprocessError, match="a worker died, for want of memory perhaps; run again to go on"):
        list(Workers(count=2).run(die, [(0,), (1,)]))


PARENT = """
import os, time
from preprocess.speech.workers import Workers

def tell_and_sleep(number):
    print(os.getpid(), flush=True)
    time.sleep(60)

list(Workers(count=2).run(tell_and_sleep, [(1,), (2,)]))
"""


def test_processes_end_with_a_parent_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        children = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
    deadline = time.time() + 20
    while any(Path(f"/proc/{child}").exists() for child in children) and time.time() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "--workers must be at least 1, got 0"),
        ({"backend": "dask"}, "--backend dask and ray need --scheduler ADDRESS, loky takes none; got --backend dask"),
        ({"scheduler": "tcp://x:1"}, "got --backend loky, --scheduler tcp://x:1"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict, message: str):
    with pytest.raises(PreprocessError, match=message):
        Workers(**options)


@pytest.mark.parametrize(("backend", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_a_backend_that_is_not_installed_is_named(backend: str, module: str, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PreprocessError, match=f"--backend {backend} needs .*: pip install"):
        list(Workers(backend, scheduler="tcp://127.0.0.1:1").run(square, [(1,)]))


@pytest.mark.parametrize(
    ("own_gpus", "options"), [(False, {"n_jobs": 8, "gpus": None}), (True, {"n_jobs": 2, "gpus": {"num_gpus": 1}})]
)
def test_ray_gives_each_worker_a_gpu_of_its_own_where_that_is_asked_for(monkeypatch, own_gpus: bool, options: dict):
    """With Ray itself and two made-up GPUs, CUDA_VISIBLE_DEVICES of the two workers was 0 and 1."""
    seen = {}

    class Backend(SequentialBackend):
        def __init__(self, ray_remote_args: dict | None, **others: object) -> None:
            seen["gpus"] = ray_remote_args
            super().__init__(**others)

        def effective_n_jobs(self, n_jobs: int) -> int:
            seen["n_jobs"] = n_jobs
            return 1

    ray = ModuleType("ray")
    ray.init = ray.shutdown = lambda **options: None
    ray.cluster_resources = lambda: {"CPU": 8.0, "GPU": 2.0}
    ray.exceptions = SimpleNamespace(RayActorError=RuntimeError)
    joblib_module = ModuleType("ray.util.joblib")
    joblib_module.register_ray = lambda: joblib.register_parallel_backend("ray", Backend)
    for name, module in (("ray", ray), ("ray.util", ModuleType("ray.util")), ("ray.util.joblib", joblib_module)):
        monkeypatch.setitem(sys.modules, name, module)
    workers = Workers("ray", 2, "127.0.0.1:1")
    assert list(workers.run(square, [(2,), (3,)], own_gpus=own_gpus)) == [4, 9]
    assert seen == options
