"""A training that is killed and started again goes on as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import torch
from toy import REPOSITORY
from training import train, training_command

OPTIONS = "--max-update 30 --mt-passes 0.5 --save-interval-updates 4 --log-interval 1 --max-tokens 400".split()
UNSTABLE = ("wall", "train_wall", "wps", "ups", "memory_gb")  # of the machine, and of how the process was started


def losses_by_update(updates: list[dict[str, str]]) -> dict[int, dict[str, str]]:
    return {int(log["num_updates"]): {key: log[key] for key in log if key not in UNSTABLE} for log in updates}


def train_until_killed(command: list[str], kill_at: int) -> list[dict[str, str]]:
    """Kill the training as soon as it has logged update `kill_at`; what it logged."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    updates = []
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        for line in process.stdout:
            if "| train_inner | {" not in line:
                continue
            updates.append(json.loads(line[line.index("{") :]))
            if int(updates[-1]["num_updates"]) >= kill_at:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    return updates


def test_a_killed_training_has_the_losses_and_the_weights_of_one_that_was_not(toy_data_bin, tmp_path):
    expected = losses_by_update(train(toy_data_bin, tmp_path / "whole", *OPTIONS))
    assert max(expected) == 30
    command = training_command(toy_data_bin, tmp_path / "killed", *OPTIONS)
    found: dict[int, dict[str, str]] = {}
    for kill_at in (9, 22):  # in the first and in the second epoch, each between two checkpoints
        found |= losses_by_update(train_until_killed(command, kill_at))
    resumed = losses_by_update(train(toy_data_bin, tmp_path / "killed", *OPTIONS))
    assert min(resumed) > 16  # it went on, and did not start anew
    assert found | resumed == expected
    whole, killed = (
        torch.load(tmp_path / name / "checkpoint_last.pt", weights_only=False)["model"] for name in ("whole", "killed")
    )
    assert [name for name in whole if not torch.equal(killed[name], whole[name])] == []
