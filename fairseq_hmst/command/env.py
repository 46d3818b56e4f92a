"""The subcommand `env`: versions, devices, optional parts, and whether all fits together."""

import argparse
import importlib
import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..version import __version__

NEEDED = ("ve-fairseq", "torch", "torchaudio", "transformers", "sentencepiece", "soundfile", "numpy")
SCORING = ("sacrebleu",)
EXTRAS = {  # distribution -> the extra that installs it, what it is for
    "av": ("formats", "audio that libsndfile does not read: m4a, webm, aac, wma, amr"),
    "gradio": ("demo", "the page of `hmst demo`"),
    "simulstream": ("live", "live translation for simulstream's server and its clients"),
    "omnisteval": ("live", "scores of live translations: `hmst score --live`"),
    "dask": ("dask", "units by many machines"),
    "tensorboard": ("tensorboard", "curves of a training"),
    "wandb": ("wandb", "curves of a training, on Weights & Biases"),
}
GIGABYTE = 1e9


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    return argparse.ArgumentParser(
        prog="hmst env", description="Show versions, devices and optional parts. Exit status 1: something does not fit."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print what is there; exit status 1 where something does not fit together."""
    make_parser().parse_args(argv)
    print(f"fairseq_hmst {__version__} in {Path(__file__).resolve().parents[1]}")
    print(f"Python {platform.python_version()}, {platform.platform()}")
    print("\nneeded")
    for name in (*NEEDED, *SCORING):
        print(f"  {name:16}{version_of(name) or 'not installed'}")
    print("\noptional")
    for name, (extra, purpose) in EXTRAS.items():
        how = "" if version_of(name) else f'; pip install "fairseq_hmst[{extra}]"'
        print(f"  {name:16}{version_of(name) or 'not installed'}: {purpose}{how}")
    faults = list(find_misfits())
    print("\ndevices")
    for line in describe_devices():
        print(f"  {line}")
    print("\nfit")
    for fault in faults or ["all parts fit together"]:
        print(f"  {fault}")
    return 1 if faults else 0


def version_of(name: str) -> str | None:
    """Version of an installed distribution; None if it is not there."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def find_misfits() -> Iterator[str]:
    """Lines that say what is lacking or does not go together, and what to do."""
    for name in NEEDED:
        if version_of(name) is None:
            yield f"{name} is not installed: pip install {name}"
    others = [name for name in ("fairseq", "fairseq-fixed") if version_of(name)]
    if others:
        yield f"{others[0]} is installed beside ve-fairseq, and both are `fairseq`: pip uninstall {others[0]}"
    torch, torchaudio = (_release(name) for name in ("torch", "torchaudio"))
    if torch and torchaudio and torch != torchaudio:
        yield f"torch {torch} and torchaudio {torchaudio} must be of one release: pip install torchaudio=={torch}.*"
    sentencepiece = version_of("sentencepiece")
    if sentencepiece and _numbers(sentencepiece) >= (0, 2, 3):
        yield f"sentencepiece {sentencepiece} finds too few pieces of units: pip install 'sentencepiece<0.2.3'"
    for name in ("torch", "torchaudio", "fairseq", "transformers", "soundfile"):
        try:
            importlib.import_module(f"{__package__.partition('.')[0]}.compat" if name == "fairseq" else name)
        except (ImportError, OSError, RuntimeError) as error:
            yield f"{name} cannot be imported: {str(error).splitlines()[0]}"


def describe_devices() -> Iterator[str]:
    """CPU cores and memory, and every GPU with its memory and precisions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield f"cpu: {len(os.sched_getaffinity(0))} cores, {memory / GIGABYTE:.0f} GB of memory"
    try:
        import torch
    except (ImportError, OSError):
        return
    if not torch.cuda.is_available():
        yield "cuda: none that torch can use"
        return
    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        with torch.cuda.device(number):
            precision = "bfloat16 and float16" if torch.cuda.is_bf16_supported() else "float16"
        yield f"cuda:{number}: {properties.name}, {properties.total_memory / GIGABYTE:.0f} GB, {precision}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])


def _release(name: str) -> str:
    return ".".join(map(str, _numbers(version_of(name) or "")[:2]))
