"""Beam search of a transducer, synchronous in alignment length; all utterances and hypotheses of a batch go together.

After i symbols of an alignment, blanks and labels, a hypothesis of u labels is at encoder step i - u: equal label
sequences are always at the same step, so that they can be merged exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from ..beam_history import EMPTY_ID, NO_ID, BeamHistory, longer_ids
from ..beginnings import Beginnings
from ..hypothesis import ScoredLabels
from .transducer_beginnings import BegunAlignments, begun_alignments
from .transducer_scorer import LabelLimit, States, TransducerScorer, allows_label, select_rows


def transducer_beam_search(
    scorer: TransducerScorer, limit: LabelLimit, beam_size: int, beginnings: Beginnings | None = None
) -> list[list[ScoredLabels]]:
    """The likeliest label sequences (alignment-length synchronous decoding; Saon, Tüske, Audhkhasi 2020).

    Of the alignments of i symbols, hypotheses are the different label sequences: equal ones are at the same encoder
    step, and their probabilities are added up. The `beam_size` best of each round stay; those that said blank at the
    last encoder step have ended. An utterance is done when no hypothesis is left, or when all that are left are less
    likely together than each of its `beam_size` best ended ones. Beam 1 is greedy decoding.

    A given beginning is one hypothesis more: it stays in every round, with the probability of all its alignments, and
    rounds are counted from its end.

    Args:
        scorer: the models on a batch of B utterances.
        limit: bounds the labels of a hypothesis.
        beam_size: K, at least 1.
        beginnings: of the sequences; one that is longer than the limit has no labels after it.

    Returns:
        For each utterance 1 to K results, best first. A log-probability is the sum over the alignments that stayed in
        the beam: a lower bound, exact (minus the transducer loss) where nothing was pruned. So a beam that holds every
        sequence finds the likeliest one within the limit.

    Raises:
        NotFiniteError: a score is NaN or infinite.
    """
    if beam_size < 1:
        raise ValueError(f"beam_size must be at least 1, got {beam_size}")
    begun = None if beginnings is None else begun_alignments(scorer, beginnings)
    beam = _start(scorer, limit, beam_size)
    if begun is not None and beginnings is not None:
        beam = _start_after(beam, beginnings, begun)
    ended = beam.ended.copy()  # of all utterances
    history = BeamHistory(len(beam.utterances))
    for num_symbols in range(scorer.max_symbols(limit)):
        if scorer.asks_after(num_symbols):
            kept = beam.goes_on(num_symbols).nonzero().squeeze(1)
            if len(kept) < len(beam.utterances):
                ended.put(beam.utterances, beam.ended)
                beam = beam.keep(kept)
            if len(kept) == 0:
                break
        beam = _round(beam, scorer, num_symbols, history)
    ended.put(beam.utterances, beam.ended)
    scorer.check_finite()
    found = _results(ended, history)
    return found if beginnings is None or begun is None else beginnings.continued(found, begun.log_ends.tolist())


class _Rows:
    """Tensors with a row an utterance."""

    def rows(self, index: Tensor) -> Self:
        """Rows index[0], index[1], ..."""
        return type(self)(*(tensor.index_select(0, index) for tensor in vars(self).values()))


@dataclass
class _Hypotheses(_Rows):
    """K label sequences an utterance, all different; those of probability zero are empty places."""

    ids: Tensor  # (B, K), see `longer_ids`
    parent_ids: Tensor  # (B, K), of the sequence without its last label; NO_ID of an empty place
    last_labels: Tensor  # (B, K), -1 without labels
    lengths: Tensor  # (B, K)
    log_probs: Tensor  # (B, K) float64

    def is_parent(self) -> Tensor:
        """Mask of parents, (B, K, K). True at [b, i, j] where sequence j is sequence i and one label more."""
        return self.ids.unsqueeze(2) == self.parent_ids.unsqueeze(1)


@dataclass
class _Ended(_Rows):
    """The K likeliest label sequences an utterance that ended, best first; those of probability zero are none."""

    log_probs: Tensor  # (B, K) float64
    num_symbols: Tensor  # (B, K) of the alignment
    places: Tensor  # (B, K) in the beam after so many symbols

    def copy(self) -> _Ended:
        return _Ended(*(tensor.clone() for tensor in vars(self).values()))

    def merged(self, log_probs: Tensor, num_symbols: int) -> _Ended:
        """The K best of these and of the beam's after `num_symbols`, (B, K); -inf of what has not ended."""
        places = torch.arange(log_probs.size(1), device=log_probs.device).expand(log_probs.shape)
        best_log_probs, best = torch.cat([self.log_probs, log_probs], 1).topk(self.log_probs.size(1))
        all_symbols = torch.cat([self.num_symbols, torch.full_like(places, num_symbols)], 1)
        return _Ended(best_log_probs, all_symbols.gather(1, best), torch.cat([self.places, places], 1).gather(1, best))

    def put(self, utterances: Tensor, others: _Ended) -> None:
        """Take those of utterances (N,), in place."""
        for name, tensor in vars(self).items():
            tensor.index_copy_(0, utterances, getattr(others, name))


@dataclass
class _AlignmentBeam:
    utterances: Tensor  # (B,) those that go on, and perhaps others
    last_steps: Tensor  # (B, 1)
    limits: Tensor  # (B, 1) most labels
    going_on: _Hypotheses
    ended: _Ended
    states: States  # B * K rows, of the hypotheses going on
    num_given: Tensor | None = None  # (B, 1) labels of beginnings; hypotheses are what comes after them
    log_given: Tensor | None = None  # (B, T + 2) of beginnings at each step, see `BegunAlignments`

    def goes_on(self, num_symbols: int) -> Tensor:
        """Whether a hypothesis is left after `num_symbols`, or may come of a beginning, (B,)."""
        is_left = (self.going_on.log_probs > -torch.inf).any(1)
        return is_left if self.log_given is None else is_left | (num_symbols <= self.last_steps.squeeze(1))

    def num_labels(self) -> Tensor:
        """Labels of each hypothesis, its beginning included, (B, K)."""
        return self.going_on.lengths if self.num_given is None else self.going_on.lengths + self.num_given

    def keep(self, kept: Tensor) -> _AlignmentBeam:
        beam_size = self.going_on.log_probs.size(1)
        rows = (kept.unsqueeze(1) * beam_size + torch.arange(beam_size, device=kept.device)).flatten()
        return _AlignmentBeam(
            self.utterances[kept],
            self.last_steps[kept],
            self.limits[kept],
            self.going_on.rows(kept),
            self.ended.rows(kept),
            select_rows(self.states, rows),
            None if self.num_given is None else self.num_given[kept],
            None if self.log_given is None else self.log_given[kept],
        )


def _start(scorer: TransducerScorer, limit: LabelLimit, beam_size: int) -> _AlignmentBeam:
    utterances = torch.arange(len(scorer.source_lengths), device=scorer.source_lengths.device)
    zeros = utterances.new_zeros(len(utterances), beam_size)
    impossible = torch.full_like(zeros, -torch.inf, dtype=torch.float64)
    first = impossible.clone()
    first[:, 0] = 0.0
    empty = _Hypotheses(zeros + EMPTY_ID, zeros + NO_ID, zeros - 1, zeros, first)
    lengths = scorer.source_lengths.unsqueeze(1)
    ended, states = _Ended(impossible, zeros, zeros), scorer.start(zeros.numel())
    return _AlignmentBeam(utterances, lengths - 1, limit.total(lengths), empty, ended, states)


def _start_after(beam: _AlignmentBeam, beginnings: Beginnings, begun: BegunAlignments) -> _AlignmentBeam:
    """Beams of one place more, the first, which is the beginning's; it stays empty where none is given."""
    hypotheses = _Hypotheses(*(torch.cat([each[:, :1], each], 1) for each in vars(beam.going_on).values()))
    hypotheses.log_probs[:, 0] = begun.log_probs[:, 0]
    hypotheses.log_probs[:, 1].masked_fill_(beginnings.are_given, -torch.inf)
    num_places = hypotheses.log_probs.size(1)
    states = select_rows(
        begun.states, torch.arange(len(beam.utterances), device=beam.utterances.device).repeat_interleave(num_places)
    )
    return replace(
        beam, going_on=hypotheses, states=states, num_given=beginnings.lengths.unsqueeze(1), log_given=begun.log_probs
    )


def _round(beam: _AlignmentBeam, scorer: TransducerScorer, num_symbols: int, history: BeamHistory) -> _AlignmentBeam:
    """The beam after one more symbol of every hypothesis, which is added to the history."""
    hypotheses = beam.going_on
    # an empty place may be anywhere
    steps = (num_symbols - hypotheses.lengths).clamp(min=0).minimum(beam.last_steps)
    log_stay, log_labels = _symbol_log_probs(beam, scorer, steps)
    is_full = ~allows_label(beam.num_labels(), steps, beam.limits)
    log_labels.masked_fill_(is_full.unsqueeze(2), -torch.inf)
    log_stay = _merge_equal(hypotheses, log_stay, log_labels)
    if beam.log_given is not None:
        log_stay[:, 0] = torch.inf  # it is chosen first of all
    chosen, sources, new_labels = _select(hypotheses, log_stay, log_labels)
    if beam.log_given is not None:
        chosen.log_probs[:, 0] = beam.log_given[:, min(num_symbols + 1, beam.log_given.size(1) - 1)]
    history.add(beam.utterances, sources, new_labels)
    has_ended = (new_labels < 0) & (steps == beam.last_steps).gather(1, sources)
    ended = beam.ended.merged(chosen.log_probs.masked_fill(~has_ended, -torch.inf), num_symbols + 1)
    log_probs = chosen.log_probs.masked_fill(has_ended, -torch.inf)
    # no hypothesis to come can be among the K best ended
    is_done = log_probs.logsumexp(1, keepdim=True) <= ended.log_probs[:, -1:]
    chosen.log_probs = log_probs.masked_fill(is_done, -torch.inf)
    first_rows = sources.size(1) * torch.arange(len(sources), device=sources.device).unsqueeze(1)
    states = select_rows(beam.states, (first_rows + sources).flatten())
    states = scorer.extend(states, (new_labels >= 0).flatten(), new_labels.flatten())
    return replace(beam, going_on=chosen, ended=ended, states=states)


def _symbol_log_probs(beam: _AlignmentBeam, scorer: TransducerScorer, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of hypotheses after a blank, (B, K) float64, and of their next labels, (B, K, V) float32."""
    rows = beam.utterances.unsqueeze(1).expand_as(steps).flatten()
    scores = scorer.scores(beam.states, rows, steps.flatten())
    return beam.going_on.log_probs + scores.blank.view(steps.shape).double(), scores.labels.view(*steps.shape, -1)


def _merge_equal(hypotheses: _Hypotheses, log_stay: Tensor, log_labels: Tensor) -> Tensor:
    """`log_stay` (B, K) with what parents' labels give to children in the beam; `log_labels` loses it in place."""
    is_parent = hypotheses.is_parent()
    last_labels = hypotheses.last_labels.clamp(min=0).unsqueeze(1).expand_as(is_parent)  # [b, i, j]: of j
    log_grown = hypotheses.log_probs.unsqueeze(2) + log_labels.gather(2, last_labels).double()
    from_parent = log_grown.masked_fill(~is_parent, -torch.inf).amax(1)  # one at most
    taken = torch.zeros_like(is_parent, dtype=log_labels.dtype).masked_fill(is_parent, -torch.inf)
    log_labels.scatter_add_(2, last_labels, taken)
    return torch.logaddexp(log_stay, from_parent)


def _select(hypotheses: _Hypotheses, log_stay: Tensor, log_labels: Tensor) -> tuple[_Hypotheses, Tensor, Tensor]:
    """The K best of hypotheses that stay and that grow; with their sources and new labels or -1."""
    beam_size = log_stay.size(1)
    # no more than K of one hypothesis's labels can be among the K best
    label_scores, labels = log_labels.topk(min(beam_size, log_labels.size(2)))
    log_grown = hypotheses.log_probs.unsqueeze(2) + label_scores.double()
    log_probs, choices = torch.cat([log_stay, log_grown.flatten(1)], 1).topk(beam_size)
    is_empty = log_probs == -torch.inf
    choices = choices.masked_fill(is_empty, 0)  # an empty place does not grow
    stays = choices < beam_size
    grown = (choices - beam_size).clamp(min=0)
    sources = torch.where(stays, choices, grown // label_scores.size(2))
    new_labels = labels.flatten(1).gather(1, grown).masked_fill(stays, -1)
    ids = hypotheses.ids.gather(1, sources)
    chosen = _Hypotheses(
        torch.where(stays, ids, longer_ids(ids, new_labels)),
        torch.where(stays, hypotheses.parent_ids.gather(1, sources), ids).masked_fill(is_empty, NO_ID),
        torch.where(stays, hypotheses.last_labels.gather(1, sources), new_labels),
        hypotheses.lengths.gather(1, sources) + ~stays,
        log_probs,
    )
    return chosen, sources, new_labels


def _results(ended: _Ended, history: BeamHistory) -> list[list[ScoredLabels]]:
    rows = zip(history.sequences(ended.places, ended.num_symbols), ended.log_probs.tolist(), strict=True)
    return [[ScoredLabels(*scored) for scored in zip(*row, strict=True) if scored[1] > -torch.inf] for row in rows]
