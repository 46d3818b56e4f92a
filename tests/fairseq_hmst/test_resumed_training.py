"""Trainings that were stopped in the middle or at the end of an epoch: gone on with, they are as if never stopped."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from forked_trainings import ForkedTrainings
from prompt_models import random_checkpoint
from training import training_command

SIZES = "--embed-dim 16 --ffn-embed-dim 16 --encoder-layers 1 --max-tokens 1500"
OF_TIMES = ("metrics", "previous_training_time")


@dataclass(frozen=True)
class Setting:
    """Options of a training, and checkpoints from which it is gone on with: `E`, of the end of an epoch, or `E_U`."""

    options: str
    checkpoints: tuple[str, ...]
    arch: str = "hmst_aed_tiny"
    data_bin: str = "toy_data_bin"


SETTINGS = {
    "both streams, each once": Setting(
        "--max-epoch 3 --save-interval-updates 6 --disable-validation", ("1_6", "1", "2_18", "2", "3_24")
    ),
    # at the end of epoch 3 the rate is reduced, by the validations after 2 and 3
    "speech, and a rate that follows validations": Setting(
        "--streams st --max-epoch 4 --save-interval-updates 2 --update-freq 2 --curriculum 1 --store-ema --ema-fp32 "
        "--lr-scheduler reduce_lr_on_plateau --lr-patience 1 --lr-threshold 0.9 --num-workers 1 --data-buffer-size 0",
        ("2", "3_8"),
    ),
    "two processes, languages and passes": Setting(
        "--mt-passes 2.5 --distributed-world-size 2 --max-epoch 2 --save-interval-updates 7 --batch-size 24 "
        "--disable-validation --num-workers 1",
        ("1", "2_28"),
        data_bin="two_target_data_bin",
    ),
    "two views, and translations in validation": Setting(
        "--source-ctc-layer 1 --consistency-weight 0.5 --rdrop-weight 0.5 --max-epoch 2 --save-interval-updates 6 "
        "--eval-bleu --update-freq 1,2",
        ("1", "2_18"),
        "hmst_ctc_attention_tiny",
    ),
    "prefixes, in two processes with two loaders each": Setting(
        "--streams st --source-ctc-layer 1 --prefix-share 0.5 --prefix-alignment {aligner} --max-epoch 2 "
        "--save-interval-updates 3 --disable-validation --max-tokens 400 --distributed-world-size 2 --num-workers 2",
        ("1", "2_9"),
        "hmst_ctc_tiny",
    ),
    "varied examples in two views, in two processes with a loader each": Setting(
        "--source-ctc-layer 1 --rdrop-weight 0.5 --rdrop-ctc-weight 0.2 --consistency-weight 0.5 --join-share 0.3 "
        "--sample-pieces units,source,target --repeat-jitter normal --speech-mask-share 0.1 --text-mask-share 0.1 "
        "--max-epoch 2 --save-interval-updates 6 --disable-validation --distributed-world-size 2 --num-workers 1",
        ("1_6", "1"),
        "hmst_ctc_attention_tiny",
    ),
    "text, and a transducer": Setting(
        "--streams mt --source-ctc-layer 1 --predictor-dim 16 --joint-dim 16 --max-epoch 2 --save-interval-updates 4 "
        "--disable-validation",
        ("2_8",),
        "hmst_transducer_tiny",
    ),
}


def flat(state: object, name: str = "") -> dict[str, object]:
    """Everything in a state, by its place."""
    if isinstance(state, dict):
        return {place: value for key, part in state.items() for place, value in flat(part, f"{name}/{key}").items()}
    if isinstance(state, list):
        return flat(dict(enumerate(state)), name)
    return {name: state}


def all_but_times(checkpoint: Path) -> dict[str, object]:
    """What a training goes on with, by its place in the checkpoint."""
    content = torch.load(checkpoint, weights_only=False)
    extra = {name: part for name, part in content["extra_state"].items() if name not in OF_TIMES}
    return flat([content["model"], content["last_optimizer_state"], content["optimizer_history"][-1], extra])


@pytest.mark.parametrize("name", SETTINGS)
def test_a_resumed_training_equals_one_that_was_never_stopped(
    trainings: ForkedTrainings, request: pytest.FixtureRequest, tmp_path: Path, name: str
):
    setting = SETTINGS[name]
    data_bin = request.getfixturevalue(setting.data_bin)
    options = setting.options
    if "{aligner}" in options:
        options = options.format(aligner=random_checkpoint(tmp_path / "aligner.pt", data_bin))

    def train(folder: str) -> dict[str, object]:
        given = [*SIZES.split(), *options.split()]
        command = training_command(data_bin, tmp_path / folder, *given, arch=setting.arch)
        log = tmp_path / f"{folder}.log"
        assert trainings.run(command, log) == 0, log.read_text(encoding="utf-8", errors="replace")[-3000:]
        return all_but_times(tmp_path / folder / "checkpoint_last.pt")

    expected = train("whole")
    for checkpoint in setting.checkpoints:
        (tmp_path / checkpoint).mkdir()
        start = tmp_path / "whole" / f"checkpoint{'_' * ('_' in checkpoint)}{checkpoint}.pt"
        shutil.copy(start, tmp_path / checkpoint / "checkpoint_last.pt")
        found = train(checkpoint)
        assert found.keys() == expected.keys()
        different = [place for place, value in found.items() if not equal(value, expected[place])]
        assert different == [], f"from {checkpoint}"


def equal(value: object, other: object) -> bool:
    return torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other
