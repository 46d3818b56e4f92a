"""Options of the machine: where, in which type of number and by how many threads a model computes."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from preprocess.errors import OptionError
from preprocess.files.program.options import option
from preprocess.files.reading.obstacle import in_a_line
from preprocess.speech.devices import find_fault

DTYPES = ("float32", "bfloat16", "float16")  # of torch

# torch has one number of threads in a process: translators that set their own take turns
_number_of_threads = threading.RLock()


@dataclass(frozen=True)
class MachineOptions:
    """Options of the machine, which hold from the opening of a model on."""

    device: str = option("torch device of speech encoder and model", "cpu")
    dtype: str = option(
        "numbers that the model computes in; the speech encoder keeps float32, as units are those of the training",
        "float32",
        choices=DTYPES,
    )
    threads: int | None = option("threads of the processor; default: torch's own number", None, metavar="N")

    def __post_init__(self) -> None:
        """Try what the machine can do.

        Raises:
            OptionError: there is no such device or dtype, the device cannot compute in it, or threads are below 1.
        """
        if self.dtype not in DTYPES:
            raise OptionError("dtype", f"must be one of {', '.join(DTYPES)}, got {self.dtype!r}")
        if self.threads is not None and self.threads < 1:
            raise OptionError("threads", f"must be at least 1, got {self.threads}")
        if fault := find_fault(self.device) or _try(self.device, "float32"):
            raise OptionError("device", f"{self.device}: cannot be used here: {fault}")
        if fault := _try(self.device, self.dtype):
            raise OptionError("dtype", f"{self.dtype}: the device {self.device} has none: {fault}")

    @contextlib.contextmanager
    def own_threads(self) -> Iterator[None]:
        """Compute by this number of threads inside the block; the process's own comes back after it."""
        if self.threads is None:
            yield
            return
        import torch

        with _number_of_threads:
            before = torch.get_num_threads()
            torch.set_num_threads(self.threads)
            try:
                yield
            finally:
                torch.set_num_threads(before)


def _try(device: str, dtype: str) -> str:
    """Why a device cannot compute in numbers of this type; "" where it can."""
    try:
        _compute(device, dtype)
    except (RuntimeError, NotImplementedError) as error:
        return in_a_line(error)
    return ""


def _compute(device: str, dtype: str) -> None:
    """Compute a little by the kinds of layers that a model has."""
    import torch

    waves = torch.zeros(1, 2, 4, device=device, dtype=getattr(torch, dtype))
    mixed = torch.nn.functional.conv1d(waves, waves.new_zeros(2, 2, 1)) @ waves.mT
    torch.nn.functional.layer_norm(mixed, (2,)).softmax(-1)
