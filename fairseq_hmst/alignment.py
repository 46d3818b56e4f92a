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
    lengths = (torch.tensor([len(source_tokens)]), torch.tensor([len(labels)]))
    return align_batch(models, decoding, source_tokens[None], Labels(labels[None], *lengths), decoder_start[None])[0]


@torch.no_grad()
def align_batch(
    models: "Sequence[HmstModel]", decoding: str, source_tokens: Tensor, labels: Labels, decoder_start: Tensor
) -> Tensor:
    """Alignments of a batch; see `align`.

    Args:
        models, decoding: the same.
        source_tokens: (B, T), padded on the right.
        labels: targets (B, U), padded on the right with an id of the output dictionary that is no label, and lengths.
        decoder_start: (B, S).

    Returns:
        (B, U, T) float32 on the CPU; what is beyond the lengths means nothing.
    """
    for number, model in enumerate(models):
        if decoding not in model.decodings:
            raise ValueError(f"model {number} has no head for '{decoding}'; it has: {', '.join(model.decodings)}")
    device = next(models[0].parameters()).device
    labels = Labels(*(tensor.to(device) for tensor in labels))
    read = torch.cat([decoder_start.to(device), labels.targets], dim=1)
    outputs = [model(source_tokens.to(device), labels.source_lengths, read) for model in models]
    if decoding == "ctc":
        log_probs = _mean_of_probs([output.ctc_logits.float().log_softmax(-1) for output in outputs])
        alignment = ctc_alignment(log_probs, labels, models[0].ctc_blank_index)
    elif decoding == "transducer":
        blank_index = models[0].transducer_blank_index
        alignment = transducer_alignment([output.transducer for output in outputs], labels, blank_index)
    else:
        weights = torch.stack([output.decoder_extra["attn"][0] for output in outputs]).float().mean(0)
        first = decoder_start.size(1) - 1  # each label's weights are of the position where what comes before it is read
        alignment = weights[:, first : first + labels.targets.size(1)]
    return alignment.float().cpu()


def ctc_alignment(log_probs: Tensor, labels: Labels, blank_index: int) -> Tensor:
    """Posterior of CTC: which of the steps that are spent on a label fall where.

    Args:
        log_probs: (B, T, V) log-probabilities.
        labels: without blank.
        blank_index: id of the blank within V.

    Returns:
        (B, U, T) float64: the posterior probability that step t belongs to label u, over the expected number of its
        steps. It sums to 1 over the steps; beyond the lengths it is 0.

    Raises:
        ValueError: there is no CTC path, T being too small.
    """
    targets, source_lengths, target_lengths = labels
    feasible = ctc_feasible(*labels)
    if not feasible.all():
        row = int(feasible.logical_not().nonzero()[0])
        raise ValueError(f"{source_lengths[row]} encoder steps are too few to hold {target_lengths[row]} labels by CTC")
    is_padding = torch.arange(targets.size(1), device=targets.device) >= target_lengths[:, None]
    states = targets.new_full((len(targets), 2 * targets.size(1) + 1), blank_index)  # a blank around each label
    states[:, 1::2] = targets.masked_fill(is_padding, blank_index)
    with torch.enable_grad():
        of_states = states[:, None].expand(-1, log_probs.size(1), -1)
        scores = log_probs.gather(2, of_states).double().detach().requires_grad_()
        # the gradient of log P by a state's score is the posterior of being in that state at that step
        (posterior,) = torch.autograd.grad(_ctc_log_likelihood(scores, states, labels).sum(), scores)
    on_label = posterior[:, :, 1::2].transpose(1, 2)
    return on_label / on_label.sum(2, keepdim=True).masked_fill(is_padding[:, :, None], 1.0)


def _ctc_log_likelihood(scores: Tensor, states: Tensor, labels: Labels) -> Tensor:
    """Log-probability of all paths, (B,) (Graves et al. 2006, ICML, eq. 5-8).

    Args:
        scores: (B, T, 2 U + 1) log-probability of each state at each step.
        states: (B, 2 U + 1) labels, with blanks between and around them.
        labels: of the lengths.
    """
    may_skip_blank = torch.zeros_like(states, dtype=torch.bool)
    may_skip_blank[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    before = scores.new_full((len(states), 2), LOG_ZERO)
    sums = torch.cat([scores[:, 0, :2], torch.full_like(scores[:, 0], LOG_ZERO)], dim=1)[:, : states.size(1)]
    for step in range(1, scores.size(1)):
        padded = torch.cat([before, sums], dim=1)
        skipped = padded[:, :-2].masked_fill(~may_skip_blank, LOG_ZERO)
        longer = torch.stack([sums, padded[:, 1:-1], skipped]).logsumexp(0) + scores[:, step]
        sums = torch.where(step < labels.source_lengths[:, None], longer, sums)
    last_blank = 2 * labels.target_lengths[:, None]
    on_label = sums.gather(1, (last_blank - 1).clamp(min=0)).masked_fill(last_blank == 0, LOG_ZERO)
    return torch.logaddexp(sums.gather(1, last_blank), on_label).squeeze(1)


def transducer_alignment(outputs: "Sequence[TransducerInputs]", labels: Labels, blank_index: int) -> Tensor:
    """Posterior of a transducer: at which step each label is emitted.

    Args:
        outputs: of each model, a TransducerInputs of sources of T steps and of these labels.
        labels: without blank.
        blank_index: id of the blank.

    Returns:
        (B, U, T) float32; it sums to 1 over the steps, and is 0 beyond the lengths.
    """
    num_steps, num_labels = outputs[0].encoder_out.size(1), labels.targets.size(1)
    scores_shape = (len(labels.targets), num_steps, num_labels + 1, len(outputs[0].bias))
    checked = check_labels(scores_shape, labels.targets.device, labels, blank_index, on_host=None)
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
    emitted = gradient.new_zeros(len(labels.targets), num_labels + 1, num_steps)
    emitted[positions.utterance, positions.num_emitted, positions.step] = -gradient
    return emitted[:, :num_labels]


def _mean_of_probs(log_probs: list[Tensor]) -> Tensor:
    return torch.stack(log_probs).logsumexp(0) - math.log(len(log_probs))
