"""Searches of fairseq for one batch alone."""

import copy
from typing import TypeVar

from fairseq.sequence_generator import SequenceGenerator

Generator = TypeVar("Generator")


def with_own_search(generator: Generator) -> Generator:
    """The generator for one batch: it shares the models, and has a search of its own.

    fairseq's search notes there what belongs to the batch, such as constraints and the overlap of diverse beams, so
    that threads which share one generator would mix their batches.
    """
    if not isinstance(generator, SequenceGenerator):
        return generator
    own = copy.copy(generator)
    own._modules = {**generator._modules, "search": copy.deepcopy(generator.search)}
    return own
