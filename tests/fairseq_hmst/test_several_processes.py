"""Training by several processes, on the CPU by gloo, against one process that collects as many batches an update."""

from pathlib import Path

import pytest
import torch
from toy import run_command
from training import logged_updates, train, training_command

# batches small enough for two epochs; in the second, --mt-passes draws another half of the text stream
OPTIONS = "--max-tokens 400 --mt-passes 0.5 --dropout 0 --max-update 20 --save-interval-updates 5 --log-interval 1"


def parameters(checkpoint: Path) -> dict[str, torch.Tensor]:
    return torch.load(checkpoint, weights_only=False)["model"]


def check_same_training(one: Path, other: Path) -> None:
    """The same parameters after 5, 10, 15 and 20 updates."""
    checkpoints = sorted(path.name for path in one.glob("checkpoint_*_*.pt"))
    assert len(checkpoints) == 4
    for name in checkpoints:
        expected, found = parameters(one / name), parameters(other / name)
        for key, values in expected.items():
            torch.testing.assert_close(found[key], values, atol=1e-4, rtol=0, msg=f"{key} of {name}")


@pytest.fixture(scope="module")
def one_process(toy_data_bin, tmp_path_factory):
    """Folder of checkpoints, and the losses of a training by one process with two batches an update."""
    folder = tmp_path_factory.mktemp("one")
    return folder, train(toy_data_bin, folder, *OPTIONS.split(), "--update-freq", 2)


def check_same_losses(expected, found):
    assert len(found) == len(expected) == 20
    assert expected[-1]["epoch"] == 2
    # logged with three decimals
    assert [float(log["loss"]) for log in found] == pytest.approx([float(log["loss"]) for log in expected], abs=1.1e-3)


def test_two_processes_train_as_one_with_two_batches_an_update(toy_data_bin, one_process, tmp_path):
    folder, losses = one_process
    found = train(toy_data_bin, tmp_path, *OPTIONS.split(), "--distributed-world-size", 2)
    check_same_losses(losses, found)
    check_same_training(folder, tmp_path)


def test_processes_that_torchrun_starts_train_the_same(toy_data_bin, one_process, tmp_path):
    folder, losses = one_process
    command = training_command(toy_data_bin, tmp_path, *OPTIONS.split(), "--distributed-world-size", 2)
    result = run_command("torchrun", "--standalone", "--nproc_per_node", 2, "--no-python", *command)
    assert result.returncode == 0, result.stderr[-3000:]
    check_same_losses(losses, logged_updates(result))
    check_same_training(folder, tmp_path)
