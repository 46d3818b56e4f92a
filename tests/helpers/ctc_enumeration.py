"""CTC by enumeration of all paths."""

import itertools
import math
from collections import defaultdict

import torch

BLANK = 0


def random_log_probs(*shape, seed=0, scale=1.0):
    logits = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (scale * logits).log_softmax(-1)


def collapse(path):
    return tuple(label for label, _ in itertools.groupby(path) if label != BLANK)


def labelings_by_enumeration(log_probs):
    """[(labels, log-probability)] of one (T, V) distribution, best first, summed over all V ** T paths."""
    probabilities = defaultdict(float)
    for path in itertools.product(range(log_probs.size(1)), repeat=len(log_probs)):
        probabilities[collapse(path)] += math.exp(sum(log_probs[t, label].item() for t, label in enumerate(path)))
    return sorted(((labels, math.log(p)) for labels, p in probabilities.items()), key=lambda item: -item[1])
