"""Figures of a benchmark as lines of JSON: what was measured, on what device, with which versions, by which command."""

import argparse
import json
import platform
import re
import shlex
import sys
from importlib import metadata
from pathlib import Path

import torch

from fairseq_hmst.version import __version__

PACKAGES = ("torch", "torchaudio", "transformers", "ve-fairseq", "scikit-learn")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --device and --results."""
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default %(default)s")
    parser.add_argument("--results", type=Path, metavar="FILE", help="append each figure as a line of JSON")


class Results:
    """Appends figures to a file, each as soon as it is known; without a file it does nothing."""

    def __init__(self, path: Path | None, device: str) -> None:
        self._path = path
        self._part = Path(sys.argv[0]).stem
        self._made_by = {
            "device": device_name(device),
            "versions": versions(),
            "command": shlex.join(["python", *sys.argv]),
        }

    def add(self, name: str, value: float, unit: str) -> None:
        """Append one figure."""
        self._append({"name": name, "value": value, "unit": unit})

    def add_failure(self, name: str, error: str) -> None:
        """Append why there is no figure."""
        self._append({"name": name, "error": error})

    def _append(self, line: dict[str, object]) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"part": self._part, **line, **self._made_by}) + "\n")


def device_name(device: str) -> str:
    """The card's name; of a CPU its name and the threads that torch takes."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return f"{names[0] if names else platform.machine()}, {torch.get_num_threads()} threads"


def versions() -> dict[str, str]:
    """Versions of Python, this package, CUDA where torch has it, and what is installed of PACKAGES."""
    found = {"python": platform.python_version(), "fairseq_hmst": __version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found | ({"cuda": torch.version.cuda} if torch.version.cuda else {})
