"""The few lines that today's torch and Python need before fairseq 0.12 works with them."""

import argparse
import atexit
import queue
import threading
import time
from typing import TypeVar

import torch
import torch.distributed

from preprocess.files.program.fairseq_import import process_unchanged

# torch >= 2.6 unpickles only classes on an allow-list; fairseq's checkpoints hold the parsed command line
torch.serialization.add_safe_globals([argparse.Namespace])

with process_unchanged():
    import fairseq.tasks  # noqa: F401
    from fairseq.data.iterators import BackgroundConsumer
    from fairseq.distributed import utils as distributed_utils

STOP_SECONDS = 60.0

Sent = TypeVar("Sent")


def broadcast_object(
    content: Sent, src_rank: int, group: torch.distributed.ProcessGroup, dist_device: torch.device
) -> Sent:
    """Send an object to every process of a training, in place of fairseq's way.

    That unpickles in each receiving process by torch.load, which refuses fairseq's own classes. What a process of the
    same training sends is as safe as the checkpoint that was read there.

    Args:
        content: of the process `src_rank`; not used in the others.
        src_rank: the process that sends.
        group: the processes that take part.
        dist_device: that the backend of the group sends from.
    """
    held = [content]
    torch.distributed.broadcast_object_list(held, src=src_rank, group=group, device=dist_device)
    return held[0]


def stop_background_loading() -> None:
    """End fairseq's threads that load batches ahead, which an epoch left in its middle leaves running.

    They are daemons: one that computes in C++ while Python ends is killed there, and the whole process aborts
    (`terminate called without an active exception`), although the training is done and saved.
    One that hangs in its file system is left alone after STOP_SECONDS.
    """
    deadline = time.monotonic() + STOP_SECONDS
    for thread in threading.enumerate():
        if isinstance(thread, BackgroundConsumer):
            thread._max_len = 0  # it ends after the batch that it is at
            while thread.is_alive() and time.monotonic() < deadline:
                _empty(thread._queue)  # it waits for room, or fills what is free
                thread.join(timeout=0.01)


def _empty(batches: queue.Queue[object]) -> None:
    try:
        while True:
            batches.get_nowait()
    except queue.Empty:
        return


distributed_utils._broadcast_object_slow = broadcast_object
atexit.register(stop_background_loading)
