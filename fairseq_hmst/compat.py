"""The few lines that today's torch and Python need before fairseq 0.12 works with them."""

import argparse
import atexit
import queue
import threading
import time

import torch

from preprocess.files.fairseq_import import process_unchanged

# torch >= 2.6 unpickles only classes on an allow-list; fairseq's checkpoints hold the parsed command line
torch.serialization.add_safe_globals([argparse.Namespace])

with process_unchanged():
    import fairseq.tasks  # noqa: F401
    from fairseq.data.iterators import BackgroundConsumer

STOP_SECONDS = 60.0


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


atexit.register(stop_background_loading)
