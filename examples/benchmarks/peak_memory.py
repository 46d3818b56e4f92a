"""Peak memory of this process, or of torch on a GPU, since it was last reset; Linux only."""

import resource
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
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return torch.cuda.max_memory_allocated()
