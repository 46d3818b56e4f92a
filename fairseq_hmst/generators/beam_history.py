"""How the hypotheses of a beam grew, step by step: all stays on the device of the search until its end."""

from __future__ import annotations

import torch
from torch import Tensor

# An odd number whose powers are far apart modulo 2 ** 64 (Knuth's MMIX)
_MULTIPLIER = 6364136223846793005
EMPTY_ID = 0  # of the empty sequence
NO_ID = -1  # of what is before the empty sequence


def longer_ids(ids: Tensor, labels: Tensor) -> Tensor:
    """Ids of sequences that are one label longer than those of `ids`; shapes that broadcast.

    Equal sequences have equal ids, whichever way a search came to them. Two different ones have the same with a
    probability of 2 ** -64.
    """
    return ids * _MULTIPLIER + labels + 1


class BeamHistory:
    """The steps of a search over B utterances with K hypotheses each.

    Args:
        num_utterances: B.
    """

    def __init__(self, num_utterances: int) -> None:
        self._num_utterances = num_utterances
        self._steps: list[Tensor] = []  # of each (B, 2, K): sources and labels

    def add(self, utterances: Tensor, sources: Tensor, labels: Tensor) -> None:
        """Add a step.

        Args:
            utterances: (N,) those that go on.
            sources: (N, K) place in the beam before the step that each hypothesis continues.
            labels: (N, K) its new label, -1 where there is none.
        """
        step = torch.stack([sources, labels], 1)
        if len(step) < self._num_utterances:
            step = step.new_zeros(self._num_utterances, *step.shape[1:]).index_copy_(0, utterances, step)
        self._steps.append(step)

    def sequences(self, places: Tensor, num_steps: Tensor | None = None) -> list[list[list[int]]]:
        """Label sequences of hypotheses, fetched to the host at once.

        Args:
            places: (B, M) places in the beam.
            num_steps: (B, M) steps after which each is there; None: all of them.
        """
        steps = torch.stack(self._steps).cpu()
        places = places.cpu()
        ends = torch.full_like(places, len(steps)) if num_steps is None else num_steps.cpu()
        found = torch.empty(len(steps), *places.shape, dtype=torch.int64)
        for number in reversed(range(len(steps))):
            sources, labels = steps[number].unbind(1)
            is_before = number < ends
            found[number] = labels.gather(1, places).masked_fill_(~is_before, -1)
            places = torch.where(is_before, sources.gather(1, places), places)
        rows = found.permute(1, 2, 0).tolist()
        return [[[label for label in labels if label >= 0] for labels in row] for row in rows]
