"""The precision of float32 products and convolutions, which torch has as settings of the whole process."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Literal, Protocol

Precision = Literal["ieee", "tf32"]  # torch's names: full float32, and TF32 where a GPU has it


class _Setting(Protocol):
    fp32_precision: str


class _HeldPrecision:
    """The setting while any thread computes under it; one that needs another precision waits for its turn."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._precision: Precision = "ieee"
        self._number_of_users = 0
        self._before: list[str] = []

    def take(self, precision: Precision) -> None:
        with self._condition:
            self._condition.wait_for(lambda: not self._number_of_users or self._precision == precision)
            if not self._number_of_users:
                settings = _settings()
                self._before = [setting.fp32_precision for setting in settings]
                _set(settings, [precision] * len(settings))
            self._precision = precision
            self._number_of_users += 1

    def give_back(self) -> None:
        with self._condition:
            self._number_of_users -= 1
            if not self._number_of_users:
                _set(_settings(), self._before)
                self._condition.notify_all()


_held = _HeldPrecision()


@contextlib.contextmanager
def float32_products(precision: Precision) -> Iterator[None]:
    """Compute products and convolutions of float32 in this precision; the process's own comes back after the last.

    Meanwhile torch refuses to read its older settings of the same, such as `torch.get_float32_matmul_precision()`.
    """
    _held.take(precision)
    try:
        yield
    finally:
        _held.give_back()


def _settings() -> list[_Setting]:
    """Products and convolutions of GPUs and of oneDNN; nothing else of cuDNN is touched."""
    from torch import backends

    on_gpu: list[_Setting] = [backends.cuda.matmul, backends.cudnn.conv]  # type: ignore[attr-defined]
    return [*on_gpu, backends.mkldnn.matmul, backends.mkldnn.conv]  # type: ignore[attr-defined]


def _set(settings: list[_Setting], values: list[str]) -> None:
    for setting, value in zip(settings, values, strict=True):
        setting.fp32_precision = value
