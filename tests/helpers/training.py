"""fairseq-train and fairseq-generate with this package, each in a process of its own as users call them."""

import json
import re
import subprocess
from pathlib import Path

from toy import REPOSITORY, run_command

PACKAGE = REPOSITORY / "fairseq_hmst"
SIZES = "--embed-dim 32 --ffn-embed-dim 64 --attention-heads 2 --encoder-layers 2".split()
OF_DECODERS = ["--decoder-layers", "1"]
WITHOUT_DECODER = ("hmst_ctc_tiny", "hmst_transducer_tiny")
TRAINING = "--optimizer adam --lr 0.003 --cpu --num-workers 0 --no-progress-bar --log-format json".split()


def training_command(data_bin: Path, save_dir: Path, *options: object, arch: str = "hmst_aed_tiny") -> list[str]:
    """A small training on the CPU; later options win."""
    task = ["--user-dir", PACKAGE, "--task", "hmst_translation", "--arch", arch, "--criterion", "hmst_joint"]
    sizes = ["--max-tokens", 2000, *SIZES, *([] if arch in WITHOUT_DECODER else OF_DECODERS)]
    return [
        str(part) for part in ("fairseq-train", data_bin, *task, *sizes, *TRAINING, "--save-dir", save_dir, *options)
    ]


def train(data_bin: Path, save_dir: Path, *options: object, arch: str = "hmst_aed_tiny") -> list[dict[str, str]]:
    """Run a small training; what it logged during updates."""
    result = run_command(*training_command(data_bin, save_dir, *options, arch=arch))
    assert result.returncode == 0, result.stderr[-3000:]
    return logged_updates(result)


def logged_updates(result: subprocess.CompletedProcess) -> list[dict[str, str]]:
    """The values of each `train_inner` line."""
    lines = result.stdout.splitlines()
    return [json.loads(line[line.index("{") :]) for line in lines if "| train_inner | {" in line]


def generate(
    data_bin: Path, path: object, *options: object, user_dir: Path = PACKAGE, cwd: Path = REPOSITORY, **environment: str
) -> list[str]:
    """Decode the test set; the D-, H- and T- lines."""
    result = run_command(
        *("fairseq-generate", data_bin, "--user-dir", user_dir, "--task", "hmst_translation", "--path", path),
        *("--gen-subset", "test", "--max-tokens", 500, "--scoring", "sacrebleu", "--cpu"),
        *("--no-progress-bar", *options),
        cwd=cwd,
        **environment,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return [line for line in result.stdout.splitlines() if re.match(r"[DHT]-\d", line)]
