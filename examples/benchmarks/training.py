"""Training speed beside fairseq's own: tokens a second of hmst_aed against `translation` with `transformer`.

Both train models of the same size on the same examples in batches of the same size, in turns, each in a process of its
own:

    python examples/benchmarks/training.py --data examples/prompts/out/data/data-bin
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from fairseq.data import data_utils, indexed_dataset

REPOSITORY = Path(__file__).resolve().parents[2]
WIDTH, FFN_WIDTH, HEADS, ENCODER_LAYERS, DECODER_LAYERS = 128, 512, 4, 3, 2
COMMON = (
    "--optimizer adam --lr 0.001 --lr-scheduler fixed --clip-norm 2 --label-smoothing 0.1 --dropout 0.1 --seed 1 --cpu "
    "--no-save --disable-validation --no-progress-bar --log-format json --num-workers 0"
).split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data-bin with both streams")
    parser.add_argument("--updates", type=int, default=60, help="updates of each run; the first third is not counted")
    parser.add_argument("--rounds", type=int, default=3, help="how often both are run in turn")
    parser.add_argument("--max-tokens", type=int, default=6000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bitext = make_bitext(arguments.data, Path(folder))
        commands = {"fairseq transformer": fairseqs_command(bitext), "hmst_aed": our_command(arguments.data)}
        speeds: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(arguments.rounds):
            for name, command in commands.items():
                speeds[name].append(tokens_per_second(command, arguments.updates, arguments.max_tokens))
                print(f"round {number + 1}: {name:20} {speeds[name][-1]:8.0f} target tokens a second", flush=True)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    print(
        f"ratio of medians, hmst_aed / fairseq transformer: {medians['hmst_aed'] / medians['fairseq transformer']:.3f}"
    )


def make_bitext(data_bin: Path, folder: Path) -> Path:
    """The training examples of both streams as one bitext of fairseq's `translation` task."""
    for name in ("dict.src.txt", "dict.tgt.txt"):
        (folder / name).write_bytes((data_bin / name).read_bytes())
    for side in ("src", "tgt"):
        prefix = str(folder / f"train.src-tgt.{side}")
        builder = indexed_dataset.make_builder(f"{prefix}.bin", impl="mmap", vocab_size=60000)
        for stream in ("st", "mt"):
            rows = data_utils.load_indexed_dataset(str(data_bin / f"train.{stream}.{side}"), None, "mmap")
            for index in range(len(rows)):
                builder.add_item(rows[index])
        builder.finalize(f"{prefix}.idx")
    return folder


def fairseqs_command(bitext: Path) -> list[str]:
    """Options of fairseq-train for its own Transformer."""
    sizes = []
    for side, layers in (("encoder", ENCODER_LAYERS), ("decoder", DECODER_LAYERS)):
        sizes += [f"--{side}-embed-dim", WIDTH, f"--{side}-ffn-embed-dim", FFN_WIDTH, f"--{side}-normalize-before"]
        sizes += [f"--{side}-attention-heads", HEADS, f"--{side}-layers", layers]
    # --left-pad-source turns its default, True, off
    task = ["--task", "translation", "--source-lang", "src", "--target-lang", "tgt", "--left-pad-source"]
    model = ["--arch", "transformer", "--share-decoder-input-output-embed", *map(str, sizes)]
    return [str(bitext), *task, *model, "--criterion", "label_smoothed_cross_entropy"]


def our_command(data_bin: Path) -> list[str]:
    """Options of fairseq-train for hmst_aed of the same size."""
    sizes = ["--embed-dim", WIDTH, "--ffn-embed-dim", FFN_WIDTH, "--attention-heads", HEADS]
    sizes += ["--encoder-layers", ENCODER_LAYERS, "--decoder-layers", DECODER_LAYERS]
    task = ["--user-dir", str(REPOSITORY / "fairseq_hmst"), "--task", "hmst_translation", "--streams", "st,mt"]
    return [str(data_bin), *task, "--arch", "hmst_aed", *map(str, sizes), "--criterion", "hmst_joint"]


def tokens_per_second(command: list[str], updates: int, max_tokens: int) -> float:
    """Target tokens a second, as fairseq-train logs them, over the last two thirds of its updates."""
    interval = max(1, updates // 3)
    limits = ["--max-update", interval * 3, "--max-tokens", max_tokens, "--log-interval", interval]
    result = subprocess.run(
        ["fairseq-train", *command, *COMMON, *map(str, limits)], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise SystemExit(result.stderr)
    logs = [line[line.index("{") :] for line in result.stdout.splitlines() if "| train_inner | {" in line]
    speeds = [float(json.loads(log)["train_wps"] if "train_wps" in log else json.loads(log)["wps"]) for log in logs]
    return statistics.mean(speeds[1:])


if __name__ == "__main__":
    main()
