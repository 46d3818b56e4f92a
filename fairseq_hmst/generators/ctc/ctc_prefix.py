"""CTC prefix scores of all hypotheses of a batch together, for joint CTC/attention beam search.

Holds the mathematics alone: which candidates are scored, and how the scores are weighted, is left to the generator.

Notation (Watanabe et al. 2017, "Hybrid CTC/Attention Architecture", algorithm 2): for a hypothesis h, r_nonblank(t) and
r_blank(t) are the probabilities of all paths over the frames 1..t that collapse to h and end in its last label or in
blank. Extending h by a label c starts from phi(t) = r_blank(t) + r_nonblank(t), less r_nonblank(t) if c repeats the
last label of h, and

    prefix probability   psi(h c) = sum over t of  phi(t - 1) p(c, t)
    new state            r_nonblank'(t) = p(c, t) (r_nonblank'(t - 1) + phi(t - 1))
                         r_blank'(t) = p(blank, t) (r_blank'(t - 1) + r_nonblank'(t - 1))

The prefix probability needs no recursion, so candidates cost one sum over frames each, and the recursions run for the
chosen extension alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..finite_scores import check_log_probs, padding_of

# Stands for log 0 inside cumulative sums, where -inf would become NaN. Sums of finite log-probabilities must stay above
# half of it (2500 nats a frame for 2000 frames); float64 resolves 2e-9 beside it.
_LOG_ZERO = -1e7


@dataclass
class CTCPrefixState:
    """N hypotheses, in any number and order per utterance; T + 1 columns, the first one before any frame.

    Attributes:
        log_r_nonblank, log_r_blank: (N, T + 1) float64, see the module's notation.
        last_labels: (N,) last label of each hypothesis, -1 for the empty one.
        prefix_scores: (N,) float64, log psi of each hypothesis, 0 for the empty one.
        utterances: (N,) index of each hypothesis's utterance within the scorer's B.
    """

    log_r_nonblank: Tensor
    log_r_blank: Tensor
    last_labels: Tensor
    prefix_scores: Tensor
    utterances: Tensor

    def reorder(self, order: Tensor) -> CTCPrefixState:
        """Hypotheses order[0], order[1], ... of this state; an `order` of any length may repeat or leave out some."""
        return CTCPrefixState(**{name: tensor.index_select(0, order) for name, tensor in vars(self).items()})


class CTCPrefixScorer:
    """Scores and extends hypotheses under the CTC distributions of B utterances.

    Args:
        log_probs: (B, T, V) log-probabilities, normalised over V.
        source_lengths: (B,) valid frames of each utterance; frames beyond them change nothing.
        blank_index: id of the blank within V.
        eos_index: id that is there for end of sentence among the candidates; it is no label of any path.

    Raises:
        NotFiniteError: a log-probability within the lengths is NaN or infinite.
    """

    def __init__(self, log_probs: Tensor, source_lengths: Tensor, blank_index: int, eos_index: int) -> None:
        self.num_utterances, _, self._vocabulary_size = log_probs.shape
        self.eos_index = eos_index
        # Beyond the length every frame is blank with probability one: it changes no hypothesis.
        is_padding = padding_of(log_probs, source_lengths)
        check_log_probs(log_probs, is_padding)
        self._blank_log_probs = log_probs[:, :, blank_index].double().masked_fill(is_padding, 0.0)
        # (B, T, V) -> (B, V, T): the frames of one label lie together and are read as one row
        label_log_probs = log_probs.transpose(1, 2).clone(memory_format=torch.contiguous_format)
        label_log_probs.masked_fill_(is_padding.unsqueeze(1), -torch.inf)
        label_log_probs[:, [blank_index, eos_index]] = -torch.inf
        self._label_log_probs = label_log_probs.flatten(0, 1)

    def initial_state(self, beam_size: int) -> CTCPrefixState:
        """`beam_size` empty hypotheses for each utterance, utterance by utterance: N = B * beam_size."""
        before_any_frame = self._blank_log_probs.new_zeros(self.num_utterances, 1)
        log_r_blank = torch.cat([before_any_frame, self._blank_log_probs.cumsum(1)], 1)
        empty = CTCPrefixState(
            log_r_nonblank=torch.full_like(log_r_blank, -torch.inf),
            log_r_blank=log_r_blank,
            last_labels=torch.full((self.num_utterances,), -1, device=log_r_blank.device),
            prefix_scores=before_any_frame.squeeze(1),
            utterances=torch.arange(self.num_utterances, device=log_r_blank.device),
        )
        return empty.reorder(empty.utterances.repeat_interleave(beam_size))

    def score(self, state: CTCPrefixState, candidates: Tensor) -> Tensor:
        """Log-probability of all label sequences that begin with hypothesis + candidate.

        For end of sentence it is the log-probability of exactly the hypothesis. Subtract `state.prefix_scores` for what
        the candidate adds (-inf - -inf, NaN, for a hypothesis that is impossible already).

        Args:
            state: N hypotheses.
            candidates: (N, C) labels, or end of sentence; blank is impossible.

        Returns:
            (N, C) float64 in nats, -inf where impossible (a label of probability zero, too few frames left).
        """
        log_r = torch.logaddexp(state.log_r_nonblank, state.log_r_blank)
        scores = self._log_psi(state, candidates, log_r)
        repeat_scores = self._log_psi(state, state.last_labels.clamp(min=0).unsqueeze(1), state.log_r_blank)
        scores = torch.where(candidates == state.last_labels.unsqueeze(1), repeat_scores, scores)
        return torch.where(candidates == self.eos_index, log_r[:, -1:], scores)

    def extend(self, state: CTCPrefixState, labels: Tensor) -> CTCPrefixState:
        """The state after one more label each, labels (N,); end of sentence or blank leave an impossible hypothesis."""
        log_phi = torch.where(
            (labels == state.last_labels).unsqueeze(1),
            state.log_r_blank,
            torch.logaddexp(state.log_r_nonblank, state.log_r_blank),
        )
        label_log_probs = self._frames_of(state, labels.unsqueeze(1)).squeeze(1).double()
        log_r_nonblank = first_order_recursion(label_log_probs, log_phi)
        log_r_blank = first_order_recursion(self._blank_log_probs[state.utterances], log_r_nonblank)
        prefix_scores = self._log_psi(state, labels.unsqueeze(1), log_phi).squeeze(1)
        return CTCPrefixState(log_r_nonblank, log_r_blank, labels, prefix_scores, state.utterances)

    def _log_psi(self, state: CTCPrefixState, candidates: Tensor, log_phi: Tensor) -> Tensor:
        return _logsumexp(self._frames_of(state, candidates) + log_phi[:, None, :-1])

    def _frames_of(self, state: CTCPrefixState, labels: Tensor) -> Tensor:
        """log p(label, t), (N, C, T), of labels (N, C)."""
        rows = state.utterances.unsqueeze(1) * self._vocabulary_size + labels
        return self._label_log_probs.index_select(0, rows.flatten()).view(*labels.shape, -1)


def first_order_recursion(
    log_p: Tensor, log_phi: Tensor, accumulate: Callable[[Tensor, int], Tensor] = torch.logcumsumexp
) -> Tensor:
    """The recursion r(0) = 0, r(t) = p(t) (r(t - 1) + phi(t - 1)) in logarithms: all frames at once.

    With P(t) the sum of log p over 1..t, log r(t) = P(t) + log of the sum over s <= t of exp(log phi(s-1) - P(s-1)).
    The difference of sums needs float64: P reaches -1e5, of which float64 keeps 1e-11 and float32 nothing.

    Args:
        log_p: (N, T) float64.
        log_phi: (N, T + 1) float64.
        accumulate: what is done with alternative paths, here added up; over a dimension, up to each place.

    Returns:
        (N, T + 1) float64.
    """
    sums = torch.nn.functional.pad(log_p.clamp(min=_LOG_ZERO).cumsum(1), (1, 0))
    log_r = sums[:, 1:] + accumulate((log_phi - sums)[:, :-1], 1)
    # what came through a frame of probability zero is zero
    log_r.masked_fill_(log_r < _LOG_ZERO / 2, -torch.inf)
    return torch.nn.functional.pad(log_r, (1, 0), value=-torch.inf)


def _logsumexp(log_terms: Tensor) -> Tensor:
    """torch.logsumexp over the last dimension, overwriting `log_terms`.

    On a CPU torch's own takes four times as long where many terms underflow, as here: e^-700 stands for them.
    """
    largest = log_terms.amax(-1, keepdim=True)
    finite = largest.clamp(min=torch.finfo(largest.dtype).min)  # -inf - -inf would be NaN
    return log_terms.sub_(finite).clamp_(min=-700.0).exp_().sum(-1).log() + largest.squeeze(-1)
