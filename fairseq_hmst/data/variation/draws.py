"""Random draws of a training, apart from one another by what they are for."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """The use of a draw; two uses never see the same numbers."""

    ORDER = 0  # and which rows an epoch has
    PREFIXES = 1
    JOINS = 2
    SEGMENTATION = 3
    REPETITIONS = 4
    MASKS = 5


@dataclass(frozen=True)
class Draws:
    """Draws of one epoch, which depend on nothing else than these numbers.

    Attributes:
        seed: of the training.
        epoch: from 1 on.
        view: of R-drop's two views of a batch, 0 or 1; what both have in common is drawn for view 0.
    """

    seed: int
    epoch: int
    view: int = 0

    def generator(self, purpose: Purpose, *of: int) -> np.random.Generator:
        """A generator for a purpose; `of` tells apart what it is drawn for, such as streams and rows."""
        return np.random.default_rng([self.seed, self.epoch, purpose, *of])
