"""Peak and present memory of this process, or of torch on a GPU; Linux only."""

import re
from pathlib import Path

import torch


def reset_peak(device: str) -> None:
    """Begin a new measurement."""
    if device == "cpu":
        Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark to the present size
    else:
        torch.cuda.reset_peak_memory_stats()


def peak_bytes(device: str) -> int:
    """Largest memory since the reset: resident set, or on a GPU torch's allocator."""
    if device == "cpu":
        # Not getrusage: its peak counts that of the parent before exec.
        return _bytes_of_status("VmHWM")
    return torch.cuda.max_memory_allocated()


def resident_bytes() -> int:
    """Resident memory of this process now."""
    return _bytes_of_status("VmRSS")


def _bytes_of_status(name: str) -> int:
    (kilobytes,) = re.findall(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) * 1024
