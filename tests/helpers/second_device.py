"""A GPU that is not there: tensors that say `cuda`, computed on the CPU, that never meet tensors of the CPU unnoticed.

`SecondDevice` is a mode. While it is on, `tensor.to("cuda")` and `torch.zeros(3, device="cuda")` give such tensors.
An operation on one of them and on a tensor of the CPU raises MixedDevices where a GPU would, whatever is a wait of the
host for the GPU is counted by the line of code that caused it, and so is every upload.
"""

import contextlib
import functools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_map_only

aten = torch.ops.aten
DEVICE = torch.device("cuda:0")
ON = ("cuda", "meta")  # see OnDevice.__new__
PROJECT = Path(__file__).resolve().parents[2]

# What a GPU cannot do without telling the host a number: sizes of results that depend on data, and the numbers.
WAITS = {
    aten._local_scalar_dense.default,
    aten.nonzero.default,
    aten.masked_select.default,
    aten.equal.default,
    aten.is_nonzero.default,
    aten.bincount.default,
    aten.histc.default,
    aten._unique.default,
    aten._unique2.default,
    aten.unique_dim.default,
    aten.unique_consecutive.default,
}
# Lengths, which CTC wants on the host: places of such arguments. It fetches those that are not there, once.
LENGTHS = {aten._ctc_loss.Tensor: (2, 3), aten._ctc_loss_backward.Tensor: (3, 4)}


class MixedDevices(RuntimeError):
    """Tensors of the GPU and of the CPU in one operation."""


class OnDevice(torch.Tensor):
    """A tensor that says `cuda`, around the tensor of the CPU that holds its numbers."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "OnDevice":
        tensor = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device="meta",  # to C++, which would look for a driver; what it makes of these options is on the GPU too
            requires_grad=False,
        )
        tensor.held = held
        return tensor

    device = property(lambda self: DEVICE)
    is_cuda = property(lambda self: True)
    is_meta = property(lambda self: False)

    def __repr__(self) -> str:  # type: ignore[override]
        return f"OnDevice({self.held})"

    def __getitem__(self, index: Any) -> torch.Tensor:
        return super().__getitem__(_with_tensors(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, (bool, int, float)):
            value = torch.tensor(value, dtype=self.dtype)  # torch makes it on the CPU for a GPU
        super().__setitem__(_with_tensors(index), value)

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def new_tensor(self, data: Any, **options: Any) -> torch.Tensor:
        return torch.tensor(data, **{"dtype": self.dtype, "device": DEVICE} | options)

    def numpy(self, *, force: bool = False) -> Any:
        if not force:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return self.detach().cpu().numpy()

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["held"], None

    @staticmethod
    def __tensor_unflatten__(inner: dict[str, torch.Tensor], _context: None, _size: object, _stride: object):
        return OnDevice(inner["held"])

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        # outside of the mode, such as while a tensor of it is printed
        return run_on_device(func, args, kwargs or {}, on_wait=lambda: None, on_upload=lambda: None)


class SecondDevice(TorchDispatchMode):
    """The mode; enter it by `second_device()`.

    Attributes:
        waits: how often the host waited, by `FILE:LINE of FUNCTION` of this project's or fairseq's code.
        uploads: tensors that went from the CPU to the GPU, likewise.
        operations: number of operations on the GPU.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()
        self.uploads: Counter[str] = Counter()
        self.operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if _concerns_device(args, kwargs):
            self.operations += 1
        return run_on_device(func, args, kwargs, self._wait, self._upload)

    def _wait(self) -> None:
        self.waits[_caller()] += 1

    def _upload(self) -> None:
        self.uploads[_caller()] += 1

    def reset(self) -> None:
        """Count from zero."""
        self.waits.clear()
        self.uploads.clear()
        self.operations = 0


@contextlib.contextmanager
def second_device() -> Iterator[SecondDevice]:
    """The mode, and what else torch must be told where there is no GPU."""
    torch._C._ensureCUDADeviceGuardSet()  # "cuda" means "cuda:0", as fake tensors have it, and no driver is asked
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch("torch.cuda._lazy_init", lambda: None))
        # in inference mode torch hands over operations whole, in which copies between devices are hidden
        stack.enter_context(mock.patch("torch.inference_mode", torch.no_grad))
        stack.enter_context(torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH))
        stack.enter_context(lifting_only_cpu_tensors())
        stack.enter_context(mock.patch("torch.cuda.amp.common.amp_definitely_not_available", lambda: False))
        stack.enter_context(mock.patch("torch.cuda.is_bf16_supported", lambda *_: True))
        for module, name in AUTOCAST:
            stack.enter_context(mock.patch.object(module, name, _autocast(getattr(module, name))))
        yield stack.enter_context(SecondDevice())


@contextlib.contextmanager
def lifting_only_cpu_tensors() -> Iterator[None]:
    """Let torch.tensor(..., device="cuda") make its tensor on the CPU and send it, which modes see."""
    torch._C._set_only_lift_cpu_tensors(True)
    try:
        yield
    finally:
        torch._C._set_only_lift_cpu_tensors(False)


def run_on_device(func: Any, args: Any, kwargs: Any, on_wait: Callable[[], None], on_upload: Callable[[], None]) -> Any:
    """Run an operation on the tensors that are held, and wrap what is on the GPU.

    Raises:
        MixedDevices: a GPU would refuse these tensors together.
    """
    tensors = list(_tensors((args, kwargs)))
    if any(tensor.is_meta for tensor in tensors):
        raise RuntimeError(f"{func} at {_caller()}: torch made a tensor of the GPU below the mode, without its numbers")
    has_device = any(isinstance(tensor, OnDevice) for tensor in tensors)
    target = kwargs.get("device")
    if func in (aten._to_copy.default, aten.copy_.default):
        is_from = isinstance(args[1] if func is aten.copy_.default else args[0], OnDevice)
        if func is aten.copy_.default:
            is_on = isinstance(args[0], OnDevice)
        else:
            is_on = is_from if target is None else torch.device(target).type in ON
        if is_from and not is_on:
            on_wait()
        if is_on and not is_from:
            on_upload()
    else:
        is_on = has_device if target is None else torch.device(target).type in ON
        if has_device:
            _check_together(func, tensors, on_upload)
            for _ in range(_count_waits(func, args, kwargs)):
                on_wait()
            is_on = is_on and func is not aten._local_scalar_dense.default
    held_args, held_kwargs = _held(args), _held(kwargs)
    if "device" in held_kwargs and is_on:
        held_kwargs["device"] = torch.device("cpu")
    if "pin_memory" in held_kwargs:
        held_kwargs["pin_memory"] = False
    out = func(*held_args, **held_kwargs)
    if not is_on:
        return out
    out = tree_map_only(torch.Tensor, OnDevice, out)
    return return_and_correct_aliasing(func, args, kwargs, out) if has_device else out


def _concerns_device(args: Any, kwargs: Any) -> bool:
    return any(isinstance(tensor, OnDevice) for tensor in _tensors((args, kwargs)))


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """All tensors among arguments of an operation; torch's own functions for trees take most of the time here."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)


def _held(value: Any) -> Any:
    """Arguments of an operation with the tensors of the CPU that hold the numbers."""
    if isinstance(value, OnDevice):
        return value.held
    if isinstance(value, dict):
        return {name: _held(item) for name, item in value.items()}
    return type(value)(map(_held, value)) if type(value) in (list, tuple) else value


def _check_together(func: Any, tensors: list[torch.Tensor], on_upload: Callable[[], None]) -> None:
    """Refuse tensors of both devices, but for the numbers and the indices that a GPU takes from the CPU."""
    strangers = [
        tensor
        for place, tensor in enumerate(tensors)
        if not isinstance(tensor, OnDevice) and place not in LENGTHS.get(func, ())
    ]
    if not strangers:
        return
    if func in INDEXING and isinstance(tensors[0], OnDevice):
        is_put = func is not aten.index.Tensor
        for tensor in strangers:  # indices of the CPU are sent, but no number that is put there
            if not (is_put and tensor is tensors[-1] and tensor.dim() == 0):
                on_upload()
        return
    is_number = all(tensor.dim() == 0 for tensor in strangers)
    if is_number and (torch.Tag.pointwise in func.tags or func in TAKE_NUMBERS):
        return
    shapes = ", ".join(f"{tuple(tensor.shape)} on {tensor.device}" for tensor in tensors)
    raise MixedDevices(f"{func}: {shapes} at {_caller()}")


def _with_tensors(index: Any) -> Any:
    """An index whose lists are tensors of the CPU: torch would make them on the device, where no mode sees it."""
    if isinstance(index, tuple):
        return tuple(map(_with_tensors, index))
    if not isinstance(index, list):
        return index
    return torch.tensor(index) if index else torch.empty(0, dtype=torch.int64)


INDEXING = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default}
TAKE_NUMBERS = {aten.fill_.Tensor, aten.masked_fill.Tensor, aten.masked_fill_.Tensor, aten.index_fill.int_Tensor}


def _count_waits(func: Any, args: Any, kwargs: Any) -> int:
    """How often the host waits for a number while the operation runs on a GPU."""
    if func in INDEXING:  # a mask chooses elements: how many? To put one number there is masked_fill
        is_number = func is not aten.index.Tensor and args[2].numel() == 1 and not isinstance(args[2], OnDevice)
        masks = [index for index in args[1] if index is not None and index.dtype in (torch.bool, torch.uint8)]
        return int(any(isinstance(mask, OnDevice) for mask in masks) and not is_number)
    if func is aten.repeat_interleave.Tensor:
        return int(kwargs.get("output_size") is None)
    if func is aten._ctc_loss.Tensor:
        return sum(isinstance(args[place], OnDevice) for place in LENGTHS[func])
    return int(func in WAITS)


def _caller() -> str:
    """The innermost line of this project, or of fairseq, that led here."""
    frame = sys._getframe(1)
    while frame is not None:
        name = _name_of_code(frame.f_code.co_filename)
        if name is not None:
            return f"{name}:{frame.f_lineno} of {frame.f_code.co_name}"
        frame = frame.f_back
    return "elsewhere"


@functools.cache
def _name_of_code(file: str) -> str | None:
    """Name of a file of this project or of fairseq, None for others."""
    path = Path(file)
    if path.is_relative_to(PROJECT) and ".venv" not in path.parts and path != Path(__file__).resolve():
        return str(path.relative_to(PROJECT))
    return f"fairseq/{path.name}" if "fairseq" in path.parts else None


# Autocast of CUDA does not know these tensors. Its casts, of those functions that models here call:
AUTOCAST = [
    *((functional, name) for name in ("linear", "conv1d", "softmax", "log_softmax", "layer_norm")),
    *((torch, name) for name in ("matmul", "bmm", "baddbmm", "mm", "addmm", "einsum", "softmax", "log_softmax")),
]
IN_FLOAT32 = ("softmax", "log_softmax", "layer_norm")


def _autocast(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def cast_and_call(*args: Any, **kwargs: Any) -> Any:
        if not torch.is_autocast_enabled(DEVICE.type):
            return function(*args, **kwargs)
        dtype = torch.float32 if function.__name__ in IN_FLOAT32 else torch.get_autocast_dtype(DEVICE.type)

        def cast(tensor: torch.Tensor) -> torch.Tensor:
            is_cast = tensor.is_floating_point() and tensor.dtype != torch.float64
            return tensor.to(dtype) if is_cast and isinstance(tensor, OnDevice) else tensor

        return function(*tree_map_only(torch.Tensor, cast, args), **tree_map_only(torch.Tensor, cast, kwargs))

    return cast_and_call
