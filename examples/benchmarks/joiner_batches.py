"""Random batches for a joiner and an RNN-T loss, with lengths as real ones are.

LibriSpeech's are those of train-clean-100 with 500 BPE pieces and an encoder that takes every fourth frame of 10 ms,
after shape_info.pt of https://github.com/csukuangfj/transducer-loss-benchmarking.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Joiner = tuple[Tensor, Tensor, Tensor, Tensor]  # encoder_out, predictor_out, weight, bias
Labels = tuple[Tensor, Tensor, Tensor]  # targets, source_lengths, target_lengths

RANKS = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
# of the encoder steps and of the labels; a batch of 30 is 443 by 105 on average
LIBRISPEECH_STEPS = (31, 105, 160, 284, 343, 382, 416, 432, 452, 680)
LIBRISPEECH_LABELS = (2, 22, 34, 57, 71, 83, 93, 98, 109, 151)


def full(num_utterances: int, num_steps: int, num_labels: int) -> tuple[Tensor, Tensor]:
    """All as long as they can be."""
    return torch.full((num_utterances,), num_steps), torch.full((num_utterances,), num_labels)


def mixed(num_utterances: int, num_steps: int, num_labels: int) -> tuple[Tensor, Tensor]:
    """Uniform in 1..max, steps and labels independent."""
    steps, labels = (torch.randint(1, longest + 1, (num_utterances,)) for longest in (num_steps, num_labels))
    steps[0], labels[-1] = num_steps, num_labels  # torchaudio wants the maximum to be met
    return steps, labels


def librispeech(num_utterances: int, num_steps: int, num_labels: int) -> tuple[Tensor, Tensor]:
    """Lengths at even ranks of LibriSpeech's, steps and labels of the same rank; in proportion, the longest is max."""
    ranks = (np.arange(num_utterances) + 0.5) / num_utterances
    lengths = []
    for quantiles, longest in ((LIBRISPEECH_STEPS, num_steps), (LIBRISPEECH_LABELS, num_labels)):
        found = np.interp(ranks, RANKS, quantiles)
        lengths.append(torch.from_numpy(np.maximum(1, np.rint(found * longest / found.max()))).long())
    return lengths[0], lengths[1]


LENGTHS: dict[str, Callable[[int, int, int], tuple[Tensor, Tensor]]] = {
    "full": full,
    "mixed": mixed,
    "LibriSpeech": librispeech,
}


def random_batch(shape: tuple[int, ...], lengths: str, device: str) -> tuple[Joiner, Labels]:
    """Joiner tensors as at the start of training, and targets with lengths.

    Args:
        shape: utterances, encoder steps, labels, vocabulary, and width of the joiner.
        lengths: a name of LENGTHS.
        device: of the tensors.
    """
    num_utterances, num_steps, num_labels, vocabulary, width = shape
    torch.manual_seed(0)
    layer = torch.nn.Linear(width, vocabulary)
    encoder_out = torch.randn(num_utterances, num_steps, width)
    predictor_out = torch.randn(num_utterances, num_labels + 1, width)
    targets = torch.randint(1, vocabulary, (num_utterances, num_labels))
    source_lengths, target_lengths = LENGTHS[lengths](num_utterances, num_steps, num_labels)

    def leaf(tensor: Tensor) -> Tensor:
        return tensor.detach().to(device).requires_grad_()

    joiner = leaf(encoder_out), leaf(predictor_out), leaf(layer.weight), leaf(layer.bias)
    return joiner, (targets.to(device), source_lengths.to(device), target_lengths.to(device))
