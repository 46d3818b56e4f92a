"""The benchmarks of training and of joint decoding, each run once on the toy corpus."""

import re

from toy import REPOSITORY, run_command

BENCHMARKS = REPOSITORY / "examples" / "benchmarks"


def test_training_speed_is_measured_beside_fairseqs(toy_data_bin):
    options = ("--updates", 3, "--rounds", 1, "--max-tokens", 500)
    result = run_command("python", BENCHMARKS / "training.py", "--data", toy_data_bin, *options)
    assert result.returncode == 0, result.stderr[-3000:]
    assert re.search(r"ratio of medians, hmst_aed / fairseq transformer: \d\.\d+", result.stdout)


def test_joint_decoding_is_timed_and_equal_in_batches_and_one_by_one(toy_data_bin, tmp_path):
    training = "--criterion hmst_joint --optimizer adam --lr 0.003 --max-tokens 2000 --max-update 3".split()
    task = ["--user-dir", REPOSITORY / "fairseq_hmst", "--task", "hmst_translation"]
    arch = "--arch hmst_ctc_attention_tiny --embed-dim 32 --ffn-embed-dim 64 --cpu --num-workers 0".split()
    result = run_command("fairseq-train", toy_data_bin, *task, *arch, *training, "--save-dir", tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    options = ("--checkpoint", tmp_path / "checkpoint_last.pt", "--beam", 3, "--rounds", 1, "--batch-size", 8)
    result = run_command("python", BENCHMARKS / "joint_decoding.py", "--data", toy_data_bin, *options)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "differ between batched and one by one: 0 of 21" in result.stdout
