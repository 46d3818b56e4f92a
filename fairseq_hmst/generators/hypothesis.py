"""The results of generators, with the fields that fairseq's command lines read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, NotRequired, TypedDict

import torch
from torch import Tensor

EncoderOut = dict[str, list[Tensor]]  # as encoders of fairseq return it
IncrementalStates = list[dict[str, dict[str, Tensor | None]]]  # of fairseq's decoders, one a model


class GeneratedHypothesis(TypedDict):
    """One hypothesis, as fairseq-generate, fairseq-interactive and validation with BLEU read it.

    Attributes:
        tokens: (U + 1,) int64, the labels and then end of sentence.
        score: scalar float32 in nats, what hypotheses are ranked by: the log-probability over length ** lenpen.
        positional_scores: (U + 1,) float32 in nats, one for each token; they sum to the log-probability.
        alignment: empty; fairseq prints it, and none is computed here.
        attention: None; no command line reads it.
        is_cut: whether it is as long as it may be, and so may be cut; the task sets it.
    """

    tokens: Tensor
    score: Tensor
    positional_scores: Tensor
    alignment: Tensor
    attention: Tensor | None
    is_cut: NotRequired[bool]


def make_hypothesis(
    labels: Sequence[int], log_prob: float, eos_index: int, length_penalty: float = 0.0
) -> GeneratedHypothesis:
    """Make a hypothesis on the CPU from the log-probability of a whole label sequence.

    Args:
        labels: U labels without end of sentence.
        log_prob: of the whole sequence, in nats; spread evenly over the positional scores, since there are no others.
        eos_index: id of end of sentence, appended to the labels.
        length_penalty: fairseq's --lenpen; the score is log_prob / (U + 1) ** length_penalty, 0 leaves it as it is.
    """
    tokens = torch.tensor([*labels, eos_index])
    return GeneratedHypothesis(
        tokens=tokens,
        score=torch.tensor(log_prob / len(tokens) ** length_penalty),
        # fairseq divides these in place, so they need memory of their own
        positional_scores=torch.full((len(tokens),), log_prob / len(tokens)),
        alignment=torch.empty(0),
        attention=None,
    )


def fetch_hypotheses(results: Sequence[Sequence[GeneratedHypothesis]]) -> None:
    """Bring tokens and scores of hypotheses to the CPU, those of all at once; what they were on a GPU is let go."""
    hypotheses = [hypothesis for row in results for hypothesis in row]
    for name in ("tokens", "score", "positional_scores"):
        tensors = [hypothesis[name] for hypothesis in hypotheses]
        if all(tensor.device.type == "cpu" for tensor in tensors):
            continue
        fetched = torch.cat([tensor.flatten() for tensor in tensors]).cpu()
        parts = fetched.split([tensor.numel() for tensor in tensors])
        for hypothesis, tensor, part in zip(hypotheses, tensors, parts, strict=True):
            hypothesis[name] = part.view(tensor.shape)


class ScoredLabels(NamedTuple):
    """A label sequence without blank, and its log-probability in nats."""

    labels: list[int]
    log_prob: float
