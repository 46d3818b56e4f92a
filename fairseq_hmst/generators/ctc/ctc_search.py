"""CTC decoding without a decoder: best path, and prefix beam search over all utterances of a batch together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..beam_history import EMPTY_ID, NO_ID, BeamHistory, longer_ids
from ..beginnings import Beginnings
from ..finite_scores import check_log_probs, padding_of
from ..hypothesis import ScoredLabels
from .ctc_beginnings import ALL_PATHS, begun_paths, best_beginnings


def ctc_greedy(
    log_probs: Tensor, source_lengths: Tensor, blank_index: int, beginnings: Beginnings | None = None
) -> list[ScoredLabels]:
    """The label sequence of each utterance's best path: the best label of every frame, repeats and blanks taken out.

    Another sequence may be likelier, since many paths add up to one sequence; `ctc_prefix_beam_search` adds them.

    Args:
        log_probs: (B, T, V) log-probabilities.
        source_lengths: (B,) valid frames.
        blank_index: id of the blank within V.
        beginnings: of the sequences; the path is the best of those that have them.

    Returns:
        One result for each utterance; its log-probability is that of the one best path.

    Raises:
        NotFiniteError: one is NaN or infinite.
    """
    log_probs = _end_in_blanks(log_probs, source_lengths, blank_index)
    path_log_probs, path = log_probs.max(2)
    path_log_probs = path_log_probs.double()
    if beginnings is None:
        totals = path_log_probs.sum(1).tolist()
        return [ScoredLabels(*scored) for scored in zip(_collapsed(path, blank_index), totals, strict=True)]
    last_frames, log_given = best_beginnings(log_probs, blank_index, beginnings, path_log_probs)
    num_before = torch.arange(path.size(1), device=path.device) - last_frames.unsqueeze(1)
    totals = (log_given + path_log_probs.masked_fill(num_before <= 0, 0.0).sum(1)).tolist()
    path = torch.where(num_before == 0, beginnings.last_labels.unsqueeze(1), path)
    rows = _collapsed(path, blank_index, num_before > 0)
    found = [[ScoredLabels(*scored)] for scored in zip(rows, totals, strict=True)]
    return [row for (row,) in beginnings.continued(found, totals)]


def _collapsed(path: Tensor, blank_index: int, is_free: Tensor | None = None) -> list[list[int]]:
    """Labels of paths (B, T) without blanks and repeats; of the frames `is_free` alone (B, T)."""
    is_kept = path != blank_index
    is_kept[:, 1:] &= path[:, 1:] != path[:, :-1]
    if is_free is not None:
        is_kept &= is_free
    return [[label for label in row if label >= 0] for row in path.masked_fill(~is_kept, -1).tolist()]


def ctc_prefix_beam_search(
    log_probs: Tensor, source_lengths: Tensor, blank_index: int, beam_size: int, beginnings: Beginnings | None = None
) -> list[list[ScoredLabels]]:
    """The likeliest label sequences (Hannun et al. 2014, arXiv:1408.2873, algorithm 1, without a language model).

    After each frame the `beam_size` likeliest prefixes stay. The paths of equal prefixes are added up, always. Only the
    best 2 * beam_size labels of a frame are looked at, which loses nothing: of these at most one repeats a hypothesis's
    last label and at most beam_size - 1 lead to another member of the beam, so beam_size others are at least as good.

    A given beginning is one member more of the beam: it stays at every frame, with the probability of all its paths.

    Args:
        log_probs: (B, T, V) log-probabilities.
        source_lengths: (B,) valid frames.
        blank_index: id of the blank within V.
        beam_size: prefixes kept after each frame, at least 1.
        beginnings: of the sequences.

    Returns:
        For each utterance up to `beam_size` results, best first. A log-probability covers the paths that stayed in the
        beam: a lower bound, exact where nothing was pruned. Sequences of probability zero are left out.

    Raises:
        NotFiniteError: one is NaN or infinite.
    """
    if beam_size < 1:
        raise ValueError(f"beam_size must be at least 1, got {beam_size}")
    log_probs = _end_in_blanks(log_probs, source_lengths, blank_index)
    given = None if beginnings is None else _given(log_probs, blank_index, beginnings)
    beam = _start(log_probs, beam_size) if beginnings is None else _start_after(log_probs, beam_size, beginnings)
    history = BeamHistory(len(log_probs))
    utterances = torch.arange(len(log_probs), device=log_probs.device)
    for frame in _frames(log_probs, blank_index, beam.ids.size(1), given):
        beam, sources, labels = _step(beam, frame)
        history.add(utterances, sources, labels)
    found = _finish(beam, history)
    if beginnings is None:
        return found
    found = [sorted(row, key=lambda result: -result.log_prob)[:beam_size] for row in found]
    return beginnings.continued(found, beam.log_total[:, 0].tolist())


def _end_in_blanks(log_probs: Tensor, source_lengths: Tensor, blank_index: int) -> Tensor:
    """A copy in which every frame beyond an utterance's length is blank with probability one: it changes no hypothesis.

    Raises:
        NotFiniteError: a frame within the length is not finite.
    """
    is_padding = padding_of(log_probs, source_lengths)
    check_log_probs(log_probs, is_padding)
    log_probs = log_probs.masked_fill(is_padding.unsqueeze(2), -torch.inf)
    log_probs[:, :, blank_index].masked_fill_(is_padding, 0.0)
    return log_probs


class _Frame(NamedTuple):
    log_probs: Tensor  # (B, V) of labels, -inf at blank
    blank_log_probs: Tensor  # (B,) float64
    candidates: Tensor  # (B, C) labels
    candidate_log_probs: Tensor  # (B, C) float64
    given: Tensor | None = None  # (B, 2) float64, `log_blank` and `log_nonblank` of beginnings after it


def _frames(log_probs: Tensor, blank_index: int, beam_size: int, given: Tensor | None) -> Iterator[_Frame]:
    """The parts of log-probabilities (B, T, V), changed in place, that a search of `beam_size` looks at.

    Args:
        given: (B, T, 2) of beginnings, see `_Frame`; None: there are none.
    """
    blank_log_probs = log_probs[:, :, blank_index].clone().double()
    log_probs[:, :, blank_index] = -torch.inf
    candidates = log_probs.topk(min(2 * beam_size, log_probs.size(2)))
    columns = [log_probs, blank_log_probs, candidates.indices, candidates.values.double()]
    if given is not None:
        columns.append(given)
    return map(_Frame, *(column.unbind(1) for column in columns))


def _given(log_probs: Tensor, blank_index: int, beginnings: Beginnings) -> Tensor:
    """Log-probabilities of beginnings after each frame, (B, T, 2): all paths that end in blank, and in a label."""
    paths = begun_paths(log_probs, blank_index, beginnings, ALL_PATHS)
    given = torch.stack([paths.log_blank, paths.log_nonblank], 2)[:, 1:]
    return given.masked_fill(~beginnings.are_given.view(-1, 1, 1), -torch.inf)


@dataclass
class _PrefixBeam:
    """K prefixes an utterance, all different; those of probability zero are never looked at again."""

    ids: Tensor  # (B, K), see `longer_ids`
    parent_ids: Tensor  # (B, K), of the prefix without its last label; NO_ID of one of probability zero
    last_labels: Tensor  # (B, K), -1 of the empty prefix
    log_blank: Tensor  # (B, K) float64, paths that end in blank
    log_nonblank: Tensor  # (B, K) float64, paths that end in the last label
    log_total: Tensor  # (B, K) float64, both

    def is_parent(self) -> Tensor:
        """Mask of parents, (B, K, K). True at [b, i, j] where prefix j is prefix i and one label more."""
        return self.ids.unsqueeze(2) == self.parent_ids.unsqueeze(1)


def _start(log_probs: Tensor, beam_size: int) -> _PrefixBeam:
    shape = (len(log_probs), beam_size)
    log_blank = log_probs.new_full(shape, -torch.inf, dtype=torch.float64)
    log_nonblank = log_blank.clone()
    log_blank[:, 0] = 0.0
    ids = torch.full(shape, EMPTY_ID, device=log_probs.device)
    return _PrefixBeam(ids, torch.full_like(ids, NO_ID), torch.full_like(ids, -1), log_blank, log_nonblank, log_blank)


def _start_after(log_probs: Tensor, beam_size: int, beginnings: Beginnings) -> _PrefixBeam:
    """Beams of K + 1 places; the first is the beginning's, impossible before any frame.

    Labels are those after the beginning. Where none is given the first place stays empty, and the search is as without.
    """
    beam = _start(log_probs, beam_size + 1)
    beam.last_labels[:, 0] = beginnings.last_labels
    beam.log_blank[:, 0] = -torch.inf
    beam.log_blank[:, 1].masked_fill_(~beginnings.are_given, 0.0)
    return beam


def _step(beam: _PrefixBeam, frame: _Frame) -> tuple[_PrefixBeam, Tensor, Tensor]:
    """The beam one frame later; of each prefix its source's place in this one, and its new label or -1."""
    is_parent = beam.is_parent()
    log_blank, log_nonblank = _stay(beam, frame, is_parent)
    log_grown = _grow(beam, frame, is_parent)
    if frame.given is not None:
        log_blank[:, 0], log_nonblank[:, 0] = frame.given.unbind(1)
    return _select(beam, frame, log_blank, log_nonblank, log_grown)


def _stay(beam: _PrefixBeam, frame: _Frame, is_parent: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of the same prefixes one frame later, (B, K), from parents in the beam too."""
    last_labels = beam.last_labels
    last_log_probs = frame.log_probs.gather(1, last_labels.clamp(min=0)).double()
    last_log_probs.masked_fill_(last_labels < 0, -torch.inf)
    log_phi = _log_phi(beam, last_labels).masked_fill(~is_parent, -torch.inf)
    from_parent = log_phi.amax(1)  # a prefix has one parent at most
    log_blank = beam.log_total + frame.blank_log_probs.unsqueeze(1)
    return log_blank, last_log_probs + torch.logaddexp(beam.log_nonblank, from_parent)


def _grow(beam: _PrefixBeam, frame: _Frame, is_parent: Tensor) -> Tensor:
    """Log-probabilities of prefixes with one candidate more, (B, K, C); -inf where the beam has that prefix already."""
    log_grown = _log_phi(beam, frame.candidates) + frame.candidate_log_probs.unsqueeze(1)
    is_last = beam.last_labels.unsqueeze(2) == frame.candidates.unsqueeze(1)  # (B, K of children, C)
    is_in_beam = is_parent.float() @ is_last.float() > 0
    return log_grown.masked_fill(is_in_beam, -torch.inf)


def _log_phi(beam: _PrefixBeam, labels: Tensor) -> Tensor:
    """Log-probabilities of the paths that one of the (B, C) labels can continue, (B, K, C): a repeat needs a blank."""
    is_repeat = beam.last_labels.unsqueeze(2) == labels.unsqueeze(1)
    return torch.where(is_repeat, beam.log_blank.unsqueeze(2), beam.log_total.unsqueeze(2))


def _select(
    beam: _PrefixBeam, frame: _Frame, log_blank: Tensor, log_nonblank: Tensor, log_grown: Tensor
) -> tuple[_PrefixBeam, Tensor, Tensor]:
    """The K best of the K prefixes that stay and the K * C that grow; a beginning first of all."""
    beam_size, num_candidates = log_grown.shape[1:]
    scores = torch.cat([torch.logaddexp(log_blank, log_nonblank), log_grown.flatten(1)], 1)
    if frame.given is None:
        best_scores, choices = scores.topk(beam_size)
    else:
        others = scores[:, 1:].topk(beam_size - 1)
        best_scores = torch.cat([scores[:, :1], others.values], 1)
        choices = torch.nn.functional.pad(others.indices + 1, (1, 0))
    stays = choices < beam_size
    grown = (choices - beam_size).clamp(min=0)
    sources = torch.where(stays, choices, grown // num_candidates)
    new_labels = frame.candidates.gather(1, grown % num_candidates).masked_fill(stays, -1)
    source_ids = beam.ids.gather(1, sources)
    parent_ids = torch.where(stays, beam.parent_ids.gather(1, sources), source_ids)
    grown_beam = _PrefixBeam(
        torch.where(stays, source_ids, longer_ids(source_ids, new_labels)),
        parent_ids.masked_fill(best_scores == -torch.inf, NO_ID),
        torch.where(stays, beam.last_labels.gather(1, sources), new_labels),
        log_blank.gather(1, sources).masked_fill(~stays, -torch.inf),
        torch.where(stays, log_nonblank.gather(1, sources), best_scores),
        best_scores,
    )
    return grown_beam, sources, new_labels


def _finish(beam: _PrefixBeam, history: BeamHistory) -> list[list[ScoredLabels]]:
    places = torch.arange(beam.ids.size(1)).expand(beam.ids.shape)
    rows = zip(history.sequences(places), beam.log_total.tolist(), strict=True)
    return [[ScoredLabels(*scored) for scored in zip(*row, strict=True) if scored[1] > -torch.inf] for row in rows]
