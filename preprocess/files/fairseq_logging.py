"""Importing fairseq without what it does to the logging of the program."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def logging_unchanged() -> Iterator[None]:
    """Import fairseq below this: the root logger stays as it is, and no hint about tensorboardX is logged.

    fairseq 0.12 sets the level DEBUG and a handler for the whole program when its tasks are imported.
    """
    logging.getLogger("fairseq.tasks.text_to_speech").setLevel(logging.WARNING)
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
