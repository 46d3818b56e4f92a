"""Time and peak memory of joiner + RNN-T loss + backward pass: torchaudio, `rnnt_loss` and `fused_rnnt_loss`.

    python examples/benchmarks/rnnt_loss.py [--device cuda] [--shape B T U V J ...] [--repeats 3]

Every measurement is a process of its own: it builds the inputs, runs a tiny batch so that libraries are loaded, and
then measures. Seconds are the fastest of the repeats; memory is what the first adds to the inputs (resident set; on a
GPU torch's allocator). Ratios are to torchaudio's memory and to the faster of its rows: "flushed" rounds subnormal
numbers to zero, which torchaudio's gradients are full of and many CPUs are slow with. Linux only.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from peak_memory import peak_bytes, reset_peak
from torch import Tensor

BLANK = 0
SHAPES = {"cpu": [(4, 100, 30, 4000, 512), (8, 200, 50, 4000, 512)]}
SHAPES["cuda"] = [*SHAPES["cpu"], (32, 400, 100, 8000, 640)]


Joiner = tuple[Tensor, Tensor, Tensor, Tensor]  # encoder_out, predictor_out, weight, bias
Labels = tuple[Tensor, Tensor, Tensor]  # targets, source_lengths, target_lengths


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


def random_batch(shape: tuple[int, ...], is_mixed: bool, device: str) -> tuple[Joiner, Labels]:
    """Joiner tensors as at the start of training, and targets with lengths.

    Lengths are full, or mixed: uniform in 1..max.
    """
    num_utterances, num_steps, num_labels, vocabulary, width = shape
    torch.manual_seed(0)
    layer = torch.nn.Linear(width, vocabulary)
    encoder_out = torch.randn(num_utterances, num_steps, width)
    predictor_out = torch.randn(num_utterances, num_labels + 1, width)
    targets = torch.randint(1, vocabulary, (num_utterances, num_labels))
    lengths = [torch.full((num_utterances,), longest) for longest in (num_steps, num_labels)]
    if is_mixed:
        lengths = [torch.randint(1, int(full[0]) + 1, full.shape) for full in lengths]
        lengths[0][0], lengths[1][-1] = num_steps, num_labels  # torchaudio wants the maximum to be met

    def leaf(tensor: Tensor) -> Tensor:
        return tensor.detach().to(device).requires_grad_()

    joiner = leaf(encoder_out), leaf(predictor_out), leaf(layer.weight), leaf(layer.bias)
    return joiner, (targets.to(device), lengths[0].to(device), lengths[1].to(device))


def measure(method: str, shape: tuple[int, ...], is_mixed: bool, device: str, repeats: int) -> dict[str, float]:
    """Seconds and extra bytes of one method on one batch, in this process."""
    torch.set_flush_denormal(method.endswith("flushed"))  # threads that start later inherit it

    def train_step(joiner: Joiner, labels: Labels) -> float:
        for tensor in joiner:
            tensor.grad = None
        started = time.perf_counter()
        METHODS[method](joiner, labels).sum().backward()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started

    train_step(*random_batch((2, 4, 3, 8, 8), is_mixed, device))
    batch = random_batch(shape, is_mixed, device)
    reset_peak(device)
    baseline = peak_bytes(device)
    seconds = [train_step(*batch)]
    extra_bytes = peak_bytes(device) - baseline
    seconds += [train_step(*batch) for _ in range(repeats - 1)]
    return {"seconds": min(seconds), "bytes": extra_bytes}


def measure_in_fresh_process(method: str, arguments: list[str]) -> dict[str, float] | None:
    """Run `measure` in a process of its own; None, its last line printed, where it fails (out of memory, say)."""
    command = [sys.executable, __file__, *arguments, "--measure", method]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        print(f"{method}: {(finished.stderr.strip().splitlines() or [f'exit {finished.returncode}'])[-1]}")
        return None
    return json.loads(finished.stdout.splitlines()[-1])


def compare(shape: tuple[int, ...], is_mixed: bool, device: str, repeats: int) -> None:
    """Measure every method on one batch and print its part of the table."""
    print("\nB {} T {} U {} V {} J {}, {} lengths".format(*shape, "mixed" if is_mixed else "full"))
    print(f"{'':20} {'seconds':>8} {'MB':>9} {'time ratio':>11} {'memory ratio':>13}", flush=True)
    arguments = ["--device", device, "--repeats", str(repeats), "--shape", *map(str, shape)] + ["--mixed"] * is_mixed
    references = []
    for method in METHODS:
        if method.endswith("flushed") and device == "cuda":
            continue
        result = measure_in_fresh_process(method, arguments)
        if result is None:
            continue
        line = f"{method:20} {result['seconds']:8.2f} {result['bytes'] / 1e6:9.1f}"
        if method.startswith("torchaudio"):
            references.append(result)
        elif references:
            time_ratio = result["seconds"] / min(reference["seconds"] for reference in references)
            memory_ratio = result["bytes"] / max(references[0]["bytes"], 1)
            line += f" {time_ratio:11.3f} {memory_ratio:13.4f}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--shape", type=int, nargs=5, action="append", metavar=("B", "T", "U", "V", "J"))
    parser.add_argument("--repeats", type=int, default=3, help="runs a measurement, at least 1")
    parser.add_argument("--mixed", action="store_true", help="mixed lengths alone")
    parser.add_argument("--measure", choices=METHODS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    shapes = [tuple(shape) for shape in arguments.shape or SHAPES[arguments.device]]
    if arguments.measure:
        result = measure(arguments.measure, shapes[0], arguments.mixed, arguments.device, arguments.repeats)
        print(json.dumps(result))
        return
    print(f"torch {torch.__version__}, {arguments.device}, {torch.get_num_threads()} CPU threads")
    for shape in shapes:
        for is_mixed in [True] if arguments.mixed else [False, True]:
            compare(shape, is_mixed, arguments.device, arguments.repeats)


if __name__ == "__main__":
    main()
