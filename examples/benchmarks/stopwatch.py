"""Seconds of a call on the clock, until a GPU has done it too."""

import time
from collections.abc import Callable
from typing import TypeVar

import torch

Result = TypeVar("Result")


def timed(call: Callable[[], Result], device: str) -> tuple[Result, float]:
    """Result of a call, and seconds from an idle device until it has done the call."""
    _wait_for(device)
    start = time.perf_counter()
    result = call()
    _wait_for(device)
    return result, time.perf_counter() - start


def _wait_for(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
