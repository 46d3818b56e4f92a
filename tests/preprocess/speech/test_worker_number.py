"""Numbers of worker processes: of joblib's, and of forks that come and go."""

import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path

from preprocess.speech.worker_number import own_number, take_number
from preprocess.speech.workers import Workers


def number_of_worker(folder: Path, calls: int) -> tuple[int | None, int]:
    """Its number and process; not before all workers have begun, so that none makes the calls of another."""
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < calls:
        time.sleep(0.01)
    return own_number(), os.getpid()


def test_processes_are_numbered_from_zero_and_this_one_is_not(tmp_path):
    found = dict(Workers(count=2).run(number_of_worker, [(tmp_path, 2)] * 2))
    assert set(found) == {0, 1} and len(set(found.values())) == 2
    assert list(Workers().run(number_of_worker, [(tmp_path, 1)])) == [(None, os.getpid())]


def test_one_that_takes_the_place_of_another_takes_its_number(tmp_path):
    workers = [Worker(tmp_path) for _ in range(3)]
    assert [worker.number for worker in workers] == [0, 1, 2]
    workers[1].end()
    workers += [Worker(tmp_path), Worker(tmp_path)]
    assert [worker.number for worker in workers[3:]] == [1, 3]
    for worker in (workers[0], *workers[2:]):
        worker.end()
    assert own_number() is None


class Worker:
    """A fork with a number."""

    def __init__(self, folder: Path) -> None:
        self._here, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(target=work, args=(folder, there))
        self._process.start()
        self.number = self._here.recv()

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def work(folder: Path, pipe: Connection) -> None:
    take_number(folder)
    take_number(folder)
    pipe.send(own_number())
    pipe.recv()
