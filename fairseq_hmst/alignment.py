"""Alignment of a translation's labels to its source, by attention weights, CTC or RNN-T posteriors."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .losses.checked_labels import Labels, check_labels
from .losses.ctc_loss import ctc_feasible
from .losses.rnnt_joiner import joiner_log_probs
from .losses.rnnt_lattice import lattice_loss, pack_positions

if TYPE_CHECKING:
    from .models.hmst_model import HmstModel, TransducerInputs

# Stands for log 0: logaddexp of two infinities has NaN as gradient
LOG_ZERO = -1e30


@torch.no_grad()
def align(
    models: "Sequence[HmstModel]", decoding: str, source_tokens: Tensor, labels: Tensor, decoder_start: Tensor
) -> Tensor:
    """Alignment of each label of a translation to the source, by the models' own account.

    Args:
        models: one model, or several whose attention or probabilities are averaged; in evaluation mode.
        decoding: the head to ask, as --decoding names it; `joint` asks the attention.
        source_tokens: (T,) all that the encoder reads, with language symbol and end of sentence.
        labels: (U,) the translation without language symbol and end of sentence; it need not be the models' best.
        decoder_start: what the decoder reads before the labels (LanguageSymbolIds.decoder_start).

    Returns:
        (U, T) float32 on the CPU, each row summing to 1. Attention: the weights of the decoder's last layer, mean of
        its heads, when it writes the label. CTC: the share of the label's encoder steps that falls on the step.
        Transducer: the probability that the label is emitted at the step.

    Raises:
        ValueError: a model lacks the head, or the source is too short to hold the labels by CTC.
    """
    for number, model in enumerate(models):
        if decoding not in model.decodings:
            raise ValueError(f"model {number} has no head for '{decoding}'; it has: {', '.join(model.decodings)}")
    device = next(models[0].parameters()).device
    source, labels, start = (tensor.to(device) for tensor in (source_tokens, labels, decoder_start))
    read = torch.cat([start, labels]).unsqueeze(0)
    lengths = torch.tensor([len(source)], device=device)
    outputs = [model(source.unsqueeze(0), lengths, read) for model in models]
    if decoding == "ctc":
        log_probs = _mean_of_probs([output.ctc_logits[0].float().log_softmax(-1) for output in outputs])
        alignment = ctc_alignment(log_probs, labels, models[0].ctc_blank_index)
    elif decoding == "transducer":
        blank_index = models[0].transducer_blank_index
        alignment = transducer_alignment([output.transducer for output in outputs], labels, blank_index)
    else:
        weights = torch.stack([output.decoder_extra["attn"][0][0] for output in outputs]).float().mean(0)
        alignment = weights[len(start) - 1 : len(start) - 1 + len(labels)]  # each row is what was seen to write it
    return alignment.float().cpu()


def ctc_alignment(log_probs: Tensor, labels: Tensor, blank_index: int) -> Tensor:
    """Posterior of CTC: which of the steps that are spent on a label fall where.

    Args:
        log_probs: (T, V) log-probabilities.
        labels: (U,) without blank.
        blank_index: id of the blank within V.

    Returns:
        (U, T) float64, each row summing to 1: the posterior probability that step t belongs to label u, over the
        expected number of its steps.

    Raises:
        ValueError: there is no CTC path, T being too small.
    """
    num_steps, num_labels = len(log_probs), len(labels)
    if not ctc_feasible(labels[None], torch.tensor([num_steps]).to(labels), torch.tensor([num_labels]).to(labels)):
        raise ValueError(f"{num_steps} encoder steps are too few to hold {num_labels} labels by CTC")
    states = labels.new_full((2 * num_labels + 1,), blank_index)  # a blank before, between and after the labels
    states[1::2] = labels
    with torch.enable_grad():
        scores = log_probs[:, states].double().detach().requires_grad_()
        # the gradient of log P by a state's score is the posterior of being in that state at that step
        (posterior,) = torch.autograd.grad(_ctc_log_likelihood(scores, states), scores)
    on_label = posterior[:, 1::2].T
    return on_label / on_label.sum(1, keepdim=True)


def _ctc_log_likelihood(scores: Tensor, states: Tensor) -> Tensor:
    """Log-probability of all paths (Graves et al. 2006, ICML, eq. 5-8).

    Args:
        scores: (T, 2 U + 1) log-probability of each state at each step.
        states: (2 U + 1,) labels, with blanks between and around them.
    """
    may_skip_blank = torch.zeros_like(states, dtype=torch.bool)
    may_skip_blank[3::2] = states[3::2] != states[1:-2:2]
    before = scores.new_full((2,), LOG_ZERO)
    sums = torch.cat([scores[0, :2], scores.new_full((len(states),), LOG_ZERO)])[: len(states)]
    for step_scores in scores[1:]:
        padded = torch.cat([before, sums])
        skipped = padded[:-2].masked_fill(~may_skip_blank, LOG_ZERO)
        sums = torch.stack([sums, padded[1:-1], skipped]).logsumexp(0) + step_scores
    return sums[-2:].logsumexp(0)


def transducer_alignment(outputs: "Sequence[TransducerInputs]", labels: Tensor, blank_index: int) -> Tensor:
    """Posterior of a transducer: at which step each label is emitted.

    Args:
        outputs: of each model, a TransducerInputs of one source of T steps and of these labels.
        labels: (U,) without blank.
        blank_index: id of the blank.

    Returns:
        (U, T) float32, each row summing to 1.
    """
    num_steps, num_labels = outputs[0].encoder_out.size(1), len(labels)
    given = Labels(labels.unsqueeze(0), torch.tensor([num_steps]), torch.tensor([num_labels]))
    scores_shape = (1, num_steps, num_labels + 1, len(outputs[0].bias))
    checked = check_labels(scores_shape, labels.device, given, blank_index, on_host=None)
    positions = pack_positions(checked, num_steps, blank_index)
    log_blank, log_label = _mean_of_probs(
        [
            joiner_log_probs(each.encoder_out, each.predictor_out, each.weight, each.bias, positions, blank_index, None)
            for each in outputs
        ]
    )
    with torch.enable_grad():
        log_label.requires_grad_()
        loss = lattice_loss(log_blank, log_label, positions).sum()
        (gradient,) = torch.autograd.grad(loss, log_label)
    emitted = gradient.new_zeros(num_labels + 1, num_steps)
    emitted[positions.num_emitted, positions.step] = -gradient
    return emitted[:num_labels]


def _mean_of_probs(log_probs: list[Tensor]) -> Tensor:
    return torch.stack(log_probs).logsumexp(0) - math.log(len(log_probs))
