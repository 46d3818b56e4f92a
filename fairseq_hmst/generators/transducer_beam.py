"""Beam search of a transducer, synchronous in alignment length; all utterances and hypotheses of a batch go together.

After i symbols of an alignment, blanks and labels, a hypothesis of u labels is at encoder step i - u: equal label
sequences are always at the same step, so that they can be merged exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .hypothesis import ScoredLabels
from .transducer_scorer import LabelLimit, States, TransducerScorer, select_rows


def transducer_beam_search(scorer: TransducerScorer, limit: LabelLimit, beam_size: int) -> list[list[ScoredLabels]]:
    """The likeliest label sequences (alignment-length synchronous decoding; Saon, Tüske, Audhkhasi 2020).

    Of the alignments of i symbols, hypotheses are the different label sequences: equal ones are at the same encoder
    step, and their probabilities are added up. The `beam_size` best of each round stay; those that said blank at the
    last encoder step have ended. An utterance is done when no hypothesis is left, or when all that are left are less
    likely together than each of its `beam_size` best ended ones. Beam 1 is greedy decoding.

    Args:
        scorer: the models on a batch of B utterances.
        limit: bounds the labels of a hypothesis.
        beam_size: K, at least 1.

    Returns:
        For each utterance 1 to K results, best first. A log-probability is the sum over the alignments that stayed in
        the beam: a lower bound, exact (minus the transducer loss) where nothing was pruned. So a beam that holds every
        sequence finds the likeliest one within the limit.
    """
    if beam_size < 1:
        raise ValueError(f"beam_size must be at least 1, got {beam_size}")
    results: list[list[ScoredLabels]] = [[] for _ in scorer.source_lengths]
    beam = _start(scorer, beam_size)
    num_symbols = 0
    while len(beam.utterances) > 0:
        beam = _round(beam, scorer, limit, num_symbols)
        num_symbols += 1
        is_done = beam.is_done()
        if is_done.any():
            for utterance, ended in beam.results(is_done):
                results[utterance] = ended
            beam = beam.keep(~is_done)
    return results


@dataclass
class _Hypotheses:
    """K label sequences an utterance, all different; those of probability zero are empty places."""

    labels: Tensor  # (B, K, U), -1 beyond each hypothesis
    lengths: Tensor  # (B, K)
    log_probs: Tensor  # (B, K) float64

    def __getitem__(self, index: Tensor) -> _Hypotheses:
        return _Hypotheses(self.labels[index], self.lengths[index], self.log_probs[index])

    def merged(self, other: _Hypotheses) -> _Hypotheses:
        """The K best of both."""
        width = max(self.labels.size(2), other.labels.size(2))
        padded = [functional.pad(each.labels, (0, width - each.labels.size(2)), value=-1) for each in (self, other)]
        log_probs, best = torch.cat([self.log_probs, other.log_probs], 1).topk(self.log_probs.size(1))
        rows = torch.arange(len(best), device=best.device).unsqueeze(1)
        lengths = torch.cat([self.lengths, other.lengths], 1)[rows, best]
        return _Hypotheses(torch.cat(padded, 1)[rows, best], lengths, log_probs)

    @property
    def last_labels(self) -> Tensor:
        """Last label of each hypothesis, (B, K), -1 without labels."""
        return functional.pad(self.labels, (1, 0), value=-1).gather(2, self.lengths.unsqueeze(2)).squeeze(2)

    def families(self) -> tuple[Tensor, Tensor, Tensor]:
        """Utterances, parents and children, each (M,): a child is its parent and one label more."""
        without_last = self.labels.scatter(2, (self.lengths - 1).clamp(min=0).unsqueeze(2), -1)
        is_equal = (self.labels.unsqueeze(2) == without_last.unsqueeze(1)).all(3)
        is_possible = self.log_probs > -torch.inf
        is_child = is_possible & (self.lengths > 0)
        is_family = is_equal & is_possible.unsqueeze(2) & is_child.unsqueeze(1)
        utterances, parents, children = is_family.nonzero().unbind(1)
        return utterances, parents, children


@dataclass
class _AlignmentBeam:
    utterances: Tensor  # (B,) those that are not done
    going_on: _Hypotheses
    ended: _Hypotheses  # best first
    states: States  # B * K rows, of the hypotheses going on

    def is_done(self) -> Tensor:
        """Whether no hypothesis to come can be among the K best ended, (B,)."""
        rest = self.going_on.log_probs.logsumexp(1)
        return (rest <= self.ended.log_probs[:, -1]) | (rest == -torch.inf)

    def keep(self, is_kept: Tensor) -> _AlignmentBeam:
        kept = is_kept.nonzero().squeeze(1)
        beam_size = self.going_on.log_probs.size(1)
        rows = (kept.unsqueeze(1) * beam_size + torch.arange(beam_size, device=kept.device)).flatten()
        return _AlignmentBeam(
            self.utterances[kept], self.going_on[kept], self.ended[kept], select_rows(self.states, rows)
        )

    def results(self, is_chosen: Tensor) -> list[tuple[int, list[ScoredLabels]]]:
        """The ended hypotheses of chosen utterances."""
        ended = self.ended[is_chosen]
        columns = zip(ended.labels.tolist(), ended.lengths.tolist(), ended.log_probs.tolist(), strict=True)
        scored = [
            [
                ScoredLabels(row[:length], log_prob)
                for row, length, log_prob in zip(*column, strict=True)
                if log_prob > -torch.inf
            ]
            for column in columns
        ]
        return list(zip(self.utterances[is_chosen].tolist(), scored, strict=True))


def _start(scorer: TransducerScorer, beam_size: int) -> _AlignmentBeam:
    utterances = torch.arange(len(scorer.source_lengths), device=scorer.source_lengths.device)
    lengths = utterances.new_zeros(len(utterances), beam_size)
    none = _Hypotheses(
        lengths.new_full((*lengths.shape, 1), -1), lengths, torch.full_like(lengths, -torch.inf, dtype=torch.float64)
    )
    first = functional.one_hot(torch.zeros_like(utterances), beam_size) == 1
    empty = _Hypotheses(none.labels, lengths, none.log_probs.masked_fill(first, 0.0))
    return _AlignmentBeam(utterances, empty, none, scorer.start(lengths.numel()))


def _round(beam: _AlignmentBeam, scorer: TransducerScorer, limit: LabelLimit, num_symbols: int) -> _AlignmentBeam:
    """The beam after one more symbol of every hypothesis."""
    hypotheses = beam.going_on
    source_lengths = scorer.source_lengths[beam.utterances].unsqueeze(1)
    # an empty place may be anywhere
    steps = (num_symbols - hypotheses.lengths).clamp(min=0).minimum(source_lengths - 1)
    log_stay, log_labels = _symbol_log_probs(beam, scorer, steps)
    is_full = ~limit.allows_label(hypotheses.lengths, steps, source_lengths)
    log_labels.masked_fill_(is_full.unsqueeze(2), -torch.inf)
    _merge_equal(hypotheses, log_stay, log_labels)
    return _select(beam, scorer, log_stay, log_labels, is_last_step=steps == source_lengths - 1)


def _symbol_log_probs(beam: _AlignmentBeam, scorer: TransducerScorer, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of hypotheses after a blank, (B, K) float64, and of their next labels, (B, K, V) float32."""
    rows = beam.utterances.unsqueeze(1).expand_as(steps).flatten()
    scores = scorer.scores(beam.states, rows, steps.flatten())
    return beam.going_on.log_probs + scores.blank.view(steps.shape).double(), scores.labels.view(*steps.shape, -1)


def _merge_equal(hypotheses: _Hypotheses, log_stay: Tensor, log_labels: Tensor) -> None:
    """Add what a parent's label gives to a child in the beam, in place."""
    utterances, parents, children = hypotheses.families()
    labels = hypotheses.last_labels[utterances, children]
    from_parent = hypotheses.log_probs[utterances, parents] + log_labels[utterances, parents, labels].double()
    log_stay[utterances, children] = torch.logaddexp(log_stay[utterances, children], from_parent)
    log_labels[utterances, parents, labels] = -torch.inf


def _select(
    beam: _AlignmentBeam, scorer: TransducerScorer, log_stay: Tensor, log_labels: Tensor, is_last_step: Tensor
) -> _AlignmentBeam:
    """The K best of the hypotheses that stay as they are, and all that grow."""
    beam_size = log_stay.size(1)
    # no more than K of one hypothesis's labels can be among the K best
    label_scores, labels = log_labels.topk(min(beam_size, log_labels.size(2)))
    log_grown = beam.going_on.log_probs.unsqueeze(2) + label_scores.double()
    log_probs, choices = torch.cat([log_stay, log_grown.flatten(1)], 1).topk(beam_size)
    choices = choices.masked_fill(log_probs == -torch.inf, 0)  # an empty place does not grow
    stays = choices < beam_size
    grown = (choices - beam_size).clamp(min=0)
    sources = torch.where(stays, choices, grown // label_scores.size(2))
    new_labels = labels.flatten(1).gather(1, grown).masked_fill(stays, -1)
    chosen = _grow(beam.going_on, sources, new_labels, log_probs)
    has_ended = stays & is_last_step.gather(1, sources)
    going_on = _Hypotheses(chosen.labels, chosen.lengths, log_probs.masked_fill(has_ended, -torch.inf))
    ended = _Hypotheses(chosen.labels, chosen.lengths, log_probs.masked_fill(~has_ended, -torch.inf))
    first_rows = beam_size * torch.arange(len(sources), device=sources.device).unsqueeze(1)
    states = select_rows(beam.states, (first_rows + sources).flatten())
    grown_rows = (new_labels >= 0).flatten().nonzero().squeeze(1)
    states = scorer.extend(states, grown_rows, new_labels.flatten()[grown_rows])
    return _AlignmentBeam(beam.utterances, going_on, beam.ended.merged(ended), states)


def _grow(hypotheses: _Hypotheses, sources: Tensor, new_labels: Tensor, log_probs: Tensor) -> _Hypotheses:
    """Hypotheses `sources` (B, K), each with its new label (B, K) where that is not -1."""
    rows = torch.arange(len(sources), device=sources.device).unsqueeze(1)
    lengths = hypotheses.lengths[rows, sources]
    labels = functional.pad(hypotheses.labels[rows, sources], (0, 1), value=-1)
    labels.scatter_(2, lengths.unsqueeze(2), new_labels.unsqueeze(2))
    lengths = lengths + (new_labels >= 0)
    return _Hypotheses(labels[:, :, : max(1, int(lengths.max()))], lengths, log_probs)
