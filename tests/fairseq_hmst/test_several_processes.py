"""Training by several processes, on the CPU by gloo, against one process that collects as many batches an update."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from forked_trainings import ForkedTrainings
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


# batches of two examples, many of which are text alone, and so without a transcript of this source CTC
UNUSED_HEADS = "--embed-dim 16 --ffn-embed-dim 16 --encoder-layers 1 --source-ctc-layer 1 --source-ctc-streams st"
UNUSED_HEADS += " --batch-size 2 --dropout 0 --max-update 6 --disable-validation --no-epoch-checkpoints"
BACKENDS = ("--ddp-backend c10d", "--ddp-backend no_c10d", "--ddp-backend legacy_ddp")  # beside the default
CTC_ATTENTION = ("hmst_ctc_attention_tiny", "")
FAMILIES = {
    ("hmst_aed_tiny", "--target-ctc"): [""],
    ("hmst_ctc_tiny", "--mt-weight 0"): [""],
    ("hmst_transducer_tiny", "--predictor-dim 16 --joint-dim 16 --target-ctc"): [""],
    ("hmst_ctc_attention_tiny", "--rdrop-weight 0.5 --consistency-weight 0.5 --source-ctc-weight 0"): [""],
    CTC_ATTENTION: ["--find-unused-parameters", *BACKENDS],
}


class TinyTrainings:
    """Trainings of a few updates, each in a folder of its own."""

    def __init__(self, server: ForkedTrainings, data_bin: Path, folder: Path) -> None:
        self.server, self.data_bin, self.folder = server, data_bin, folder

    def run(self, options: str, arch: str) -> tuple[int, str, Path]:
        """Exit status, what was logged, and the last checkpoint."""
        folder = self.folder / str(len(list(self.folder.iterdir())))
        folder.mkdir()
        command = training_command(self.data_bin, folder, *options.split(), arch=arch)
        status = self.server.run(command, folder / "log")
        return status, (folder / "log").read_text(encoding="utf-8", errors="replace"), folder / "checkpoint_last.pt"

    def weights(self, options: str, arch: str) -> dict[str, torch.Tensor]:
        status, log, checkpoint = self.run(options, arch)
        assert status == 0, log[-3000:]
        return parameters(checkpoint)


@pytest.fixture
def tiny(trainings: ForkedTrainings, toy_data_bin: Path, tmp_path: Path) -> TinyTrainings:
    return TinyTrainings(trainings, toy_data_bin, tmp_path)


@pytest.mark.parametrize(("arch", "heads"), FAMILIES)
def test_heads_that_a_process_has_nothing_for_change_nothing_whatever_the_backend(tiny, arch: str, heads: str):
    expected = tiny.weights(f"{UNUSED_HEADS} {heads} --update-freq 2", arch)
    for backend in FAMILIES[arch, heads]:
        found = tiny.weights(f"{UNUSED_HEADS} {heads} {backend} --distributed-world-size 2", arch)
        # to the bit: two gradients have one sum, and half of it is exact
        assert [name for name in expected if not torch.equal(found[name], expected[name])] == [], backend


@pytest.mark.parametrize("arch", ["hmst_aed_tiny", "hmst_ctc_tiny", "hmst_transducer_tiny", "hmst_ctc_attention_tiny"])
def test_two_processes_validate_by_decoding(tiny, arch: str):
    sizes = "--embed-dim 16 --ffn-embed-dim 16 --batch-size 8 --eval-bleu --max-update 1"
    status, log, _ = tiny.run(f"{sizes} --no-epoch-checkpoints --distributed-world-size 2", arch)
    assert status == 0, log[-3000:]
    assert '"valid_bleu": ' in log


def test_a_process_that_lacks_the_last_batch_of_an_update_still_counts_those_before(tiny):
    options = "--max-tokens 500 --dropout 0 --max-epoch 1 --disable-validation --optimizer sgd --lr 0.1"
    status, log, checkpoint = tiny.run(f"{options} --update-freq 4", "hmst_aed_tiny")
    assert status == 0, log[-3000:]
    (start,) = (json.loads(line[line.index("{") :]) for line in log.splitlines() if "hmst_start" in line)
    assert start["batches"] % 4 == 3  # so that the second of two processes lacks one
    expected = parameters(checkpoint)
    found = tiny.weights(f"{options} --update-freq 2 --distributed-world-size 2", "hmst_aed_tiny")
    for name, values in expected.items():  # four gradients, added in another order, differ by 2e-5
        torch.testing.assert_close(found[name], values, atol=1e-4, rtol=0)


def test_a_process_that_has_no_batch_at_all_changes_nothing(tiny):
    options = f"{UNUSED_HEADS} --streams st --max-tokens 30000 --batch-size 300 --required-batch-size-multiple 1"
    options += " --max-update 2"
    status, log, checkpoint = tiny.run(options, CTC_ATTENTION[0])
    assert status == 0, log[-3000:]
    assert '"batches": 1}' in log  # in an epoch
    expected = parameters(checkpoint)
    found = tiny.weights(f"{options} --distributed-world-size 2", CTC_ATTENTION[0])
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


@pytest.mark.skipif(find_spec("fairscale") is not None, reason="fairscale is there")
@pytest.mark.parametrize("option", ["--ddp-backend fully_sharded", "--ddp-backend slowmo", "--zero-sharding os"])
def test_what_needs_fairscale_says_so(tiny, option: str):
    status, log, _ = tiny.run(f"{UNUSED_HEADS} {option} --distributed-world-size 2", CTC_ATTENTION[0])
    assert status != 0
    assert "pip install fairscale" in log
