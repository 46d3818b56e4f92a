"""Time and peak memory of joiner + RNN-T loss + backward pass: torchaudio, `rnnt_loss` and `fused_rnnt_loss`.

    python examples/benchmarks/rnnt_loss.py [--device cuda] [--shape B T U V J ...] [--lengths LENGTHS ...]

Every measurement is a process of its own: it builds the inputs, runs a tiny batch so that libraries are loaded, and
then measures. Memory is what the first run adds to the inputs (resident set; on a GPU torch's allocator), seconds are
the median of the repeats after it. Ratios are to torchaudio's memory and to the faster of its rows: "flushed" rounds
subnormal numbers to zero, which torchaudio's gradients are full of and many CPUs are slow with. Linux only.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable

import torch
from joiner_batches import LENGTHS, Joiner, Labels, random_batch
from peak_memory import peak_bytes, reset_peak
from results import Results, add_options
from stopwatch import timed
from torch import Tensor

BLANK = 0
SHAPES = [(4, 100, 30, 4000, 512), (8, 200, 50, 4000, 512)]


def joint_logits(encoder_out: Tensor, predictor_out: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Logits (B, T, U + 1, V) of all pairs of an encoder step and a predictor step."""
    hidden = torch.tanh(encoder_out[:, :, None] + predictor_out[:, None])
    return torch.nn.functional.linear(hidden, weight, bias)


def torchaudio_loss(joiner: Joiner, labels: Labels) -> Tensor:
    """Losses (B,) by torchaudio."""
    from torchaudio.functional import rnnt_loss

    return rnnt_loss(joint_logits(*joiner), *(tensor.int() for tensor in labels), blank=BLANK, reduction="none")


def unfused_loss(joiner: Joiner, labels: Labels) -> Tensor:
    """Losses (B,) by `rnnt_loss`."""
    from fairseq_hmst.losses.rnnt import rnnt_loss

    return rnnt_loss(joint_logits(*joiner), *labels, blank_index=BLANK)


def fused_loss(joiner: Joiner, labels: Labels) -> Tensor:
    """Losses (B,) by `fused_rnnt_loss`, which never holds all logits."""
    from fairseq_hmst.losses.rnnt import fused_rnnt_loss

    return fused_rnnt_loss(*joiner, *labels, blank_index=BLANK)


METHODS: dict[str, Callable[[Joiner, Labels], Tensor]] = {
    "torchaudio": torchaudio_loss,
    "torchaudio, flushed": torchaudio_loss,
    "rnnt_loss": unfused_loss,
    "fused_rnnt_loss": fused_loss,
}


def measure(method: str, shape: tuple[int, ...], lengths: str, device: str, repeats: int) -> dict[str, float]:
    """Seconds, extra bytes and mean loss of one method on one batch, in this process."""
    torch.set_flush_denormal(method.endswith("flushed"))  # threads that start later inherit it

    def train_step(joiner: Joiner, labels: Labels) -> Tensor:
        for tensor in joiner:
            tensor.grad = None
        losses = METHODS[method](joiner, labels)
        losses.sum().backward()
        return losses.detach()

    train_step(*random_batch((2, 4, 3, 8, 8), lengths, device))
    batch = random_batch(shape, lengths, device)
    reset_peak(device)
    baseline = peak_bytes(device)
    losses = train_step(*batch)
    extra_bytes = peak_bytes(device) - baseline
    seconds = [timed(lambda: train_step(*batch), device)[1] for _ in range(repeats)]
    return {"seconds": statistics.median(seconds), "bytes": extra_bytes, "loss": float(losses.mean())}


def measure_in_fresh_process(method: str, arguments: list[str]) -> dict[str, float] | str:
    """Run `measure` in a process of its own; where it fails (out of memory, say), the last line of what it said."""
    command = [sys.executable, __file__, *arguments, "--measure", method]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        return (finished.stderr.strip().splitlines() or [f"exit {finished.returncode}"])[-1]
    return json.loads(finished.stdout.splitlines()[-1])


def compare(shape: tuple[int, ...], lengths: str, methods: list[str], arguments: argparse.Namespace) -> None:
    """Measure methods on one batch, print their part of the table and record it."""
    case = "B {} T {} U {} V {} J {}, {} lengths".format(*shape, lengths)
    logits = 4 * shape[0] * shape[1] * (shape[2] + 1) * shape[3]
    print(f"\n{case}; all logits are {logits / 1e6:.1f} MB")
    print(f"{'':20} {'seconds':>9} {'MB':>9} {'loss':>9} {'time ratio':>11} {'memory ratio':>13}", flush=True)
    options = ["--device", arguments.device, "--repeats", str(arguments.repeats), "--lengths", lengths]
    results = Results(arguments.results, arguments.device)
    references = []
    for method in methods:
        found = measure_in_fresh_process(method, [*options, "--shape", *map(str, shape)])
        if isinstance(found, str):
            print(f"{method:20} {found}", flush=True)
            results.add_failure(f"{method}, {case}", found)
            continue
        line = f"{method:20} {found['seconds']:9.4f} {found['bytes'] / 1e6:9.1f} {found['loss']:9.3f}"
        if method.startswith("torchaudio"):
            references.append(found)
        elif references:
            time_ratio = found["seconds"] / min(reference["seconds"] for reference in references)
            line += f" {time_ratio:11.3f} {found['bytes'] / max(references[0]['bytes'], 1):13.4f}"
        print(line, flush=True)
        results.add(f"{method}, {case}: time", found["seconds"], "s")
        results.add(f"{method}, {case}: extra memory", found["bytes"] / 1e6, "MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, nargs=5, action="append", metavar=("B", "T", "U", "V", "J"))
    parser.add_argument("--lengths", choices=LENGTHS, nargs="+", default=["full", "mixed"], help="default: full, mixed")
    parser.add_argument("--methods", choices=METHODS, nargs="+", help="default: all that make sense on the device")
    parser.add_argument("--repeats", type=int, default=3, help="runs of a measurement; default %(default)s")
    add_options(parser)
    parser.add_argument("--measure", choices=METHODS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    shapes = [tuple(shape) for shape in arguments.shape or SHAPES]
    if arguments.measure:
        (lengths,) = arguments.lengths
        print(json.dumps(measure(arguments.measure, shapes[0], lengths, arguments.device, arguments.repeats)))
        return
    methods = arguments.methods or [name for name in METHODS if arguments.device == "cpu" or "flushed" not in name]
    print(f"torch {torch.__version__}, {arguments.device}, {torch.get_num_threads()} CPU threads")
    for shape in shapes:
        for lengths in arguments.lengths:
            compare(shape, lengths, methods, arguments)


if __name__ == "__main__":
    main()
