"""Importing fairseq without what that does to the program: to its logging, warnings and random numbers."""

import logging
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def process_unchanged() -> Iterator[None]:
    """Import fairseq below this: root logger, filters of warnings and `random` stay as they are.

    fairseq 0.12 sets the level DEBUG and a handler for the whole program when its tasks are imported; what it imports
    adds filters of warnings and draws random numbers. Some of its lines are warned of when they are compiled, which
    every process does where Python may not save what it compiles.
    """
    logging.getLogger("fairseq.tasks.text_to_speech").setLevel(logging.WARNING)
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    filters, state = list(warnings.filters), random.getstate()
    warnings.simplefilter("ignore", SyntaxWarning)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        warnings.filters[:] = filters  # type: ignore[index]
        warnings._filters_mutated()  # type: ignore[attr-defined]
        random.setstate(state)
