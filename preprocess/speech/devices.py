"""The torch device that `--device` names: whether it is there, and which GPU a worker has."""

from ..errors import PreprocessError
from ..files.reading.obstacle import in_a_line
from .worker_number import own_number


def check_device(device: str) -> None:
    """Refuse a device that this machine does not have.

    Raises:
        PreprocessError: torch knows no such device, or finds none here.
    """
    if fault := find_fault(device):
        raise PreprocessError(f"--device {device}: cannot be used here: {fault}")


def find_fault(device: str) -> str:
    """Why this machine does not have a device; "" where it does. No GPU is touched."""
    if device == "cpu":
        return ""  # without torch
    import torch

    try:
        kind, index = torch.device(device).type, torch.device(device).index
    except RuntimeError:
        return "torch knows no such device, but cpu, cuda and cuda:NUMBER"
    if kind == "cuda":
        number = torch.cuda.device_count()
        if number == 0:
            return "torch finds no GPU"
        if index is not None and index >= number:
            return f"torch finds {number} GPU{'s' * (number > 1)}, counted from cuda:0"
        return ""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        return in_a_line(error)
    return ""


def device_of_worker(device: str) -> str:
    """The device for what this process computes: `cuda` is another GPU for each worker of one machine.

    Worker i has GPU i modulo their number. Alone, or as a worker of a cluster, a process has the first that it sees.
    """
    number = own_number()
    if device != "cuda" or number is None:
        return device
    import torch

    return f"cuda:{number % max(1, torch.cuda.device_count())}"
