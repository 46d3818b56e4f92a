"""Training by several processes on CPUs, which fairseq does on GPUs alone: `--cpu --distributed-world-size N`.

fairseq counts GPUs where it should count processes (it refuses, or starts none) and names a GPU to the wrapper of a
model on the CPU. Here the same is set up for gloo; everything after that (batches of each rank, gradients, logging) is
fairseq's own. On GPUs nothing changes, but for an error where torchrun's processes would each train a model alone.
"""

import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import torch
from fairseq.dataclass.configs import FairseqConfig
from fairseq.distributed import utils as distributed_utils
from fairseq.models import distributed_fairseq_model
from torch.nn.parallel import DistributedDataParallel

logger = logging.getLogger(__name__)

TORCHRUN_VARIABLES = ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK")

_fairseq_call_main = distributed_utils.call_main


def call_main(cfg: FairseqConfig, main: Callable[..., None], **kwargs: object) -> None:
    """Run `main(cfg)` in as many processes as cfg asks for, in place of fairseq's `call_main`.

    Raises:
        ValueError: torchrun started several processes, but --distributed-world-size is another number.
    """
    distributed = cfg.distributed_training
    is_torchrun = all(name in os.environ for name in TORCHRUN_VARIABLES)
    if is_torchrun and int(os.environ["WORLD_SIZE"]) != distributed.distributed_world_size:
        raise ValueError(
            f"torchrun started {os.environ['WORLD_SIZE']} processes, but --distributed-world-size is "
            f"{distributed.distributed_world_size}; fairseq needs the same number, or each process trains alone"
        )
    if not cfg.common.cpu or distributed.distributed_world_size == 1:
        _fairseq_call_main(cfg, main, **kwargs)
        return
    distributed.distributed_backend = "gloo"
    if is_torchrun:
        distributed.distributed_init_method = "env://"
        distributed.distributed_rank = int(os.environ["RANK"])
        distributed.distributed_no_spawn = True
    if distributed.distributed_no_spawn:
        distributed.device_id = 0  # fairseq would choose a GPU by it
        _fairseq_call_main(cfg, main, **kwargs)
        return
    if distributed.distributed_init_method is None:
        distributed.distributed_init_method = f"tcp://127.0.0.1:{_free_port()}"
    logger.info("training by %d processes on this machine's CPU", distributed.distributed_world_size)
    # read where torch is imported, in each process; by default each would use all cores
    threads = max(1, len(os.sched_getaffinity(0)) // distributed.distributed_world_size)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    kwargs["start_rank"] = 0
    distributed.distributed_rank = None  # fairseq takes it from the number of the process
    torch.multiprocessing.spawn(
        fn=distributed_utils.distributed_main, args=(main, cfg, kwargs), nprocs=distributed.distributed_world_size
    )


def wrap(module: torch.nn.Module, **options: Any) -> DistributedDataParallel:
    """Wrap a model in torch's DistributedDataParallel, without the number of a GPU where it is on the CPU."""
    if next(module.parameters()).device.type == "cpu":
        options |= {"device_ids": None, "output_device": None}
    return DistributedDataParallel(module, **options)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


distributed_utils.call_main = call_main
distributed_fairseq_model.DistributedDataParallel = wrap
