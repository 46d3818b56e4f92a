"""Training speed and memory of this package's architectures and of fairseq's `transformer` of the same size.

    python examples/benchmarks/training.py --data examples/prompts/out/data/data-bin
    python examples/benchmarks/training.py --data DATA_BIN --device cuda --precision bf16 --max-tokens 20000 \
        --arch hmst_aed_base hmst_ctc_attention_base

All train on the same examples in batches of as many tokens, in turns, each in a process of its own (`updates.py`).
fairseq's `transformer` has the encoder and decoder layers of an architecture with an attention decoder, by fairseq's
own task `translation`; --alone leaves it out. Tokens a second are those of source and target without padding, of the
median update. Core seconds are those of all cores of the CPU together, and suffer less from other work on the machine.
Memory is that of the whole process (resident set), or on a GPU of torch's allocator.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from fairseqs_transformer import WITH_DECODER, fairseqs_command, make_bitext
from results import Results, add_options

FOLDER = Path(__file__).resolve().parent
COMMON = (
    "--optimizer adam --lr 0.001 --lr-scheduler fixed --clip-norm 2 --dropout 0.1 --seed 1 "
    "--disable-validation --no-progress-bar --num-workers 0"
).split()
PRECISIONS = {"float32": [], "bf16": ["--bf16"], "fp16": ["--fp16"]}

Measured = dict[str, float]  # of updates.Updates


def our_command(data_bin: Path, architecture: str) -> list[str]:
    """Options of fairseq-train for an architecture of this package."""
    task = ["--user-dir", str(FOLDER.parents[1] / "fairseq_hmst"), "--task", "hmst_translation"]
    smoothing = ["--label-smoothing", "0.1"] if has_decoder(architecture) else []
    return [str(data_bin), *task, "--arch", architecture, "--criterion", "hmst_joint", *smoothing]


def has_decoder(architecture: str) -> bool:
    """Whether the architecture has an attention decoder, as fairseq's Transformer has."""
    return architecture.rpartition("_")[0] in WITH_DECODER


def counterpart_of(architecture: str) -> str:
    """Name of fairseq's Transformer of the size of an architecture."""
    return f"transformer like {architecture}"


def measure(command: list[str], arguments: argparse.Namespace, scratch: Path) -> Measured | str:
    """Train in a process of its own; where it fails (out of memory, say), the last line of what it said."""
    options = [*COMMON, *PRECISIONS[arguments.precision], "--max-tokens", str(arguments.max_tokens)]
    options += ["--save-dir", str(scratch)] + ["--cpu"] * (arguments.device == "cpu")
    updates = [sys.executable, str(FOLDER / "updates.py"), "--updates", str(arguments.updates)]
    result = subprocess.run([*updates, "--", *command, *options], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(result.stderr, file=sys.stderr)
        return (result.stderr.strip().splitlines() or [f"exit {result.returncode}"])[-1]
    return json.loads(result.stdout.splitlines()[-1])


def figures_of(rounds: list[Measured]) -> dict[str, tuple[float, str]]:
    """Values and units, medians over the rounds."""
    median = {key: statistics.median(found[key] for found in rounds) for key in rounds[0]}
    return {
        "source tokens a second": (median["source_tokens"] / median["seconds"], "tokens/s"),
        "target tokens a second": (median["target_tokens"] / median["seconds"], "tokens/s"),
        "an update": (median["seconds"], "s"),
        "an update, all cores": (median["core_seconds"], "core s"),
        "peak memory": (median["bytes"] / 1e6, "MB"),
        "parameters": (median["parameters"] / 1e6, "million"),
    }


def print_table(figures: dict[str, dict[str, tuple[float, str]]]) -> None:
    """Print figures by model, and how fast this package is beside fairseq."""
    first = next(iter(figures.values()))
    print("\n| model | " + " | ".join(f"{what}, {unit}" for what, (_, unit) in first.items()) + " |")
    print("|---" * (len(first) + 1) + "|")
    for name, row in figures.items():
        print(f"| {name} | " + " | ".join(f"{value:.4g}" for value, _ in row.values()) + " |")
    for name, row in figures.items():
        if counterpart_of(name) in figures:
            ratio = row["target tokens a second"][0] / figures[counterpart_of(name)]["target tokens a second"][0]
            print(f"target tokens a second, {name} / {counterpart_of(name)}: {ratio:.3f}")


def compare(commands: dict[str, list[str]], arguments: argparse.Namespace, scratch: Path) -> dict[str, str]:
    """Measure models in turn, record each as soon as it is known, and print the table; errors of those that fail."""
    results = Results(arguments.results, arguments.device)
    rounds: dict[str, list[Measured]] = {name: [] for name in commands}
    failures: dict[str, str] = {}
    for number in range(arguments.rounds):
        for name in [name for name in commands if name not in failures]:
            found = measure(commands[name], arguments, scratch)
            if isinstance(found, str):
                failures[name] = found
                results.add_failure(name, found)
                continue
            rounds[name].append(found)
            print(f"round {number + 1}: {name}: {found['seconds']:.3f} s an update", flush=True)
            if number + 1 == arguments.rounds:
                for what, (value, unit) in figures_of(rounds[name]).items():
                    results.add(f"{name}: {what}", value, unit)
    if len(failures) < len(commands):
        print_table({name: figures_of(found) for name, found in rounds.items() if name not in failures})
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data-bin with both streams")
    parser.add_argument("--arch", nargs="+", default=["hmst_aed_tiny"], help="default: hmst_aed_tiny")
    parser.add_argument("--alone", action="store_true", help="without fairseq's transformer")
    parser.add_argument("--updates", type=int, default=40, help="that are timed in each run; default %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="how often all are run in turn; default %(default)s")
    parser.add_argument("--max-tokens", type=int, default=6000, help="of a batch; default %(default)s")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="default %(default)s")
    add_options(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        commands = {name: our_command(arguments.data, name) for name in arguments.arch}
        if not arguments.alone:
            bitext = make_bitext(arguments.data, scratch)
            with_decoder = filter(has_decoder, arguments.arch)
            commands |= {counterpart_of(name): fairseqs_command(bitext, name) for name in with_decoder}
        failures = compare(commands, arguments, scratch)
    if failures:
        sys.exit("\n".join(f"{name}: {error}" for name, error in failures.items()))


if __name__ == "__main__":
    main()
