"""Probabilities of an ensemble at a temperature (--temperature): what searches over CTC and transducers add up."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def mean_log_probs(log_probs: Sequence[Tensor], temperature: float = 1.0) -> Tensor:
    """Logarithm of the mean of several models' probabilities, each at a temperature.

    Args:
        log_probs: (..., V) of each model, normalised over V.
        temperature: that logits are divided by, above 0; 1 leaves the models' probabilities.

    Returns:
        (..., V), normalised.
    """
    if temperature != 1:
        # what normalising took off the logits is the same for all of V
        log_probs = [(each / temperature).log_softmax(-1) for each in log_probs]
    if len(log_probs) == 1:
        return log_probs[0]
    return torch.stack(list(log_probs)).logsumexp(0) - math.log(len(log_probs))
