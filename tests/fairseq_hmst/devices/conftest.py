"""Trainings on the GPU that is not there."""

import functools

import pytest
from device_training import Case, run_trainer, training_device
from toy import task_with_twins


@pytest.fixture(scope="session")
def tasks(toy_data_bin, two_target_data_bin):
    """Tasks with text twins, by number of target languages."""
    return {1: task_with_twins(toy_data_bin), 2: task_with_twins(two_target_data_bin)}


@pytest.fixture(scope="session")
def steps_on_device(tasks):
    """Steps of fairseq's trainer on the GPU, by family and name of an option of precision, if any."""

    @functools.cache
    def run(family: str, precision: str | None = None):
        with training_device() as gpu:
            return run_trainer(Case(family), tasks[1], gpu, **({precision: True} if precision else {}))

    return run
