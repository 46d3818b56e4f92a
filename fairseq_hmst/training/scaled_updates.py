"""Learning rates of some parameters that are multiples of the others', whatever fairseq's optimizer.

fairseq sets one learning rate for all. An update of SGD and Adam, their weight decay too, is proportional to it, so the
step that was made is lengthened.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from .optimizers import FP16Optimizer

SCALE = "lr_scale"  # attribute of a parameter


def set_lr_scale(parameters: Iterable[Parameter], scale: float) -> None:
    """Give parameters a multiple of the learning rate; it is no part of a checkpoint."""
    for parameter in parameters:
        setattr(parameter, SCALE, scale)


@contextmanager
def scaled_updates(optimizer: Any, parameters: Iterable[Parameter]) -> Iterator[None]:
    """Lengthen the step that is made within, of each parameter by its multiple.

    Args:
        optimizer: fairseq's, also of half precision.
        parameters: of the model.
    """
    scales = {id(parameter): getattr(parameter, SCALE, 1.0) for parameter in parameters}
    # (the weight that the step changes, what it is copied to or None, its multiple)
    weights: list[tuple[Tensor, Tensor | None, float]] = []
    if any(scale != 1 for scale in scales.values()):
        if isinstance(optimizer, FP16Optimizer):
            masters = zip(optimizer.fp16_params, optimizer.weights(), strict=True)
            weights = [(master, copy, scales.get(id(parameter), 1.0)) for parameter, (copy, master) in masters]
        else:
            weights = [(parameter.data, None, scales.get(id(parameter), 1.0)) for parameter in optimizer.params]
    scaled = [(weight, copy, scale, weight.clone()) for weight, copy, scale in weights if scale != 1]
    yield
    with torch.no_grad():
        for weight, copy, scale, before in scaled:
            weight.copy_(before + scale * (weight - before))
            if copy is not None:
                copy.copy_(weight)
