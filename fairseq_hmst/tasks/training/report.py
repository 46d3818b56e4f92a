"""The description that a training logs of itself, and the memory that it takes."""

import resource
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from fairseq.distributed import utils as distributed_utils

from ...data.streams import MixedStreams
from ...training.training_events import TrainingStart

if TYPE_CHECKING:
    from ...models.hmst_model import HmstModel


def training_start(
    data_bin: str, signature: str, datasets: Mapping[str, MixedStreams], model: "HmstModel", batches: int
) -> TrainingStart:
    """The description of a training that begins.

    Args:
        data_bin: its path.
        signature: of the data-bin.
        datasets: by split.
        model: on its device, in its precision.
        batches: of this process in an epoch.
    """
    parameters = list(model.parameters())
    device, precision = parameters[0].device, str(parameters[0].dtype).removeprefix("torch.")
    return TrainingStart(
        data_bin=data_bin,
        data=signature,
        examples={
            split: {stream.name: len(stream.sources) for stream in dataset.streams}
            for split, dataset in datasets.items()
        },
        model=type(model).__name__,
        parameters=sum(each.numel() for each in parameters),
        trained_parameters=sum(each.numel() for each in parameters if each.requires_grad),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        processes=distributed_utils.get_global_world_size(),
        precision=precision,
        batches=batches,
    )


def memory_gb() -> float:
    """Memory in GiB: what this process has taken of its GPU; without one, its own at most until now."""
    if torch.cuda.is_initialized():
        return torch.cuda.memory_reserved() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts in KiB
