"""The decoding benchmark, run once on a checkpoint that fairseq-train has written."""

import re
import sys

import pytest
from toy import run_command

SMALL = ["--embed-dim", 16, "--ffn-embed-dim", 32, "--attention-heads", 2, "--encoder-layers", 2]
SMALL += ["--predictor", "stateless", "--predictor-context", 3, "--predictor-dim", 12, "--joint-dim", 10]


def train(data_bin, arch, folder, *options):
    task = ["--user-dir", "fairseq_hmst", "--task", "hmst_translation", "--arch", arch, "--criterion", "hmst_joint"]
    training = ["--optimizer", "adam", "--lr", 0.001, "--max-tokens", 500, "--max-update", 1]
    saving = ["--save-dir", folder, "--no-epoch-checkpoints", "--disable-validation", "--cpu", "--num-workers", 0]
    run = run_command("fairseq-train", data_bin, *task, *training, *saving, *options)
    assert run.returncode == 0, run.stderr
    return folder / "checkpoint_last.pt"


@pytest.fixture(scope="module")
def checkpoint(toy_data_bin, tmp_path_factory):
    return train(toy_data_bin, "hmst_transducer_tiny", tmp_path_factory.mktemp("transducer"), *SMALL)


def test_batched_and_single_decoding_are_timed_and_agree(toy_data_bin, checkpoint):
    options = ["--data", toy_data_bin, "--checkpoint", checkpoint, "--beam", 3, "--max-utterances", 6]
    run = run_command(sys.executable, "examples/benchmarks/rnnt_decoding.py", *options, "--batch-size", 4)
    assert run.returncode == 0, run.stderr
    assert "6 utterances on cpu" in run.stdout
    rows = re.findall(
        r"^(greedy|beam 3) +(one by one|batches of 4) +[\d.]+ +[\d.]+ +\d+ +[\d.]+  6 of 6$", run.stdout, re.M
    )
    assert [search for search, _ in rows] == ["greedy", "greedy", "beam 3", "beam 3"]


def test_fairseq_generate_prints_the_n_best_of_a_transducer(toy_data_bin, checkpoint):
    options = ["--user-dir", "fairseq_hmst", "--task", "hmst_translation", "--path", checkpoint, "--cpu"]
    options += ["--decoding", "transducer", "--beam", 3, "--nbest", 2, "--max-tokens", 500, "--no-progress-bar"]
    run = run_command("fairseq-generate", toy_data_bin, *options)
    assert run.returncode == 0, run.stderr
    assert len(re.findall(r"^T-", run.stdout, re.M)) == 21
    assert len(re.findall(r"^H-", run.stdout, re.M)) == 2 * 21
