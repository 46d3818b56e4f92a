"""CTC decoding without a decoder: best path, and prefix beam search over all utterances of a batch together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .hypothesis import ScoredLabels


def ctc_greedy(log_probs: Tensor, source_lengths: Tensor, blank_index: int) -> list[ScoredLabels]:
    """The label sequence of each utterance's best path: the best label of every frame, repeats and blanks taken out.

    Another sequence may be likelier, since many paths add up to one sequence; `ctc_prefix_beam_search` adds them.

    Args:
        log_probs: (B, T, V) log-probabilities.
        source_lengths: (B,) valid frames.
        blank_index: id of the blank within V.

    Returns:
        One result for each utterance; its log-probability is that of the one best path.
    """
    path_log_probs, path = _end_in_blanks(log_probs, source_lengths, blank_index).max(2)
    is_kept = path != blank_index
    is_kept[:, 1:] &= path[:, 1:] != path[:, :-1]
    totals = path_log_probs.double().sum(1).tolist()
    return [ScoredLabels(row[kept].tolist(), total) for row, kept, total in zip(path, is_kept, totals, strict=True)]


def ctc_prefix_beam_search(
    log_probs: Tensor, source_lengths: Tensor, blank_index: int, beam_size: int
) -> list[list[ScoredLabels]]:
    """The likeliest label sequences (Hannun et al. 2014, arXiv:1408.2873, algorithm 1, without a language model).

    After each frame the `beam_size` likeliest prefixes stay. The paths of equal prefixes are added up, always. Only the
    best 2 * beam_size labels of a frame are looked at, which loses nothing: of these at most one repeats a hypothesis's
    last label and at most beam_size - 1 lead to another member of the beam, so beam_size others are at least as good.

    Args:
        log_probs: (B, T, V) log-probabilities.
        source_lengths: (B,) valid frames.
        blank_index: id of the blank within V.
        beam_size: prefixes kept after each frame, at least 1.

    Returns:
        For each utterance up to `beam_size` results, best first. A log-probability covers the paths that stayed in the
        beam: a lower bound, exact where nothing was pruned. Sequences of probability zero are left out.
    """
    if beam_size < 1:
        raise ValueError(f"beam_size must be at least 1, got {beam_size}")
    log_probs = _end_in_blanks(log_probs, source_lengths, blank_index)
    beam = _start(log_probs, beam_size)
    is_blank = torch.arange(log_probs.size(2), device=log_probs.device) == blank_index
    num_candidates = min(2 * beam_size, log_probs.size(2))
    for frame in log_probs.unbind(1):
        candidates = frame.masked_fill(is_blank, -torch.inf).topk(num_candidates)
        beam = _step(
            beam, _Frame(frame, frame[:, blank_index].double(), candidates.indices, candidates.values.double())
        )
    return _finish(beam)


def _end_in_blanks(log_probs: Tensor, source_lengths: Tensor, blank_index: int) -> Tensor:
    """A copy in which every frame beyond an utterance's length is blank with probability one: it changes no hypothesis.

    Frames beyond the longest utterance are left out.
    """
    log_probs = log_probs[:, : max(1, int(source_lengths.max()))]
    frames = torch.arange(log_probs.size(1), device=log_probs.device)
    is_padding = frames >= source_lengths.unsqueeze(1)
    log_probs = log_probs.masked_fill(is_padding.unsqueeze(2), -torch.inf)
    log_probs[:, :, blank_index].masked_fill_(is_padding, 0.0)
    return log_probs


class _Frame(NamedTuple):
    log_probs: Tensor  # (B, V)
    blank_log_probs: Tensor  # (B,) float64
    candidates: Tensor  # (B, C) labels
    candidate_log_probs: Tensor  # (B, C) float64


@dataclass
class _PrefixBeam:
    """K prefixes an utterance, all different; those of probability zero are never looked at again."""

    labels: Tensor  # (B, K, U), -1 beyond each prefix
    lengths: Tensor  # (B, K)
    log_blank: Tensor  # (B, K) float64, paths that end in blank
    log_nonblank: Tensor  # (B, K) float64, paths that end in the last label

    @property
    def log_total(self) -> Tensor:
        return torch.logaddexp(self.log_blank, self.log_nonblank)

    @property
    def last_labels(self) -> Tensor:
        """Last label of each prefix, (B, K), -1 for the empty prefix."""
        padded = functional.pad(self.labels, (1, 0), value=-1)
        return padded.gather(2, self.lengths.unsqueeze(2)).squeeze(2)

    def is_parent(self) -> Tensor:
        """Mask of parents, (B, K, K). True at [b, i, j] where prefix j is prefix i and one label more."""
        without_last = self.labels.scatter(2, (self.lengths - 1).clamp(min=0).unsqueeze(2), -1)
        is_equal = (self.labels.unsqueeze(2) == without_last.unsqueeze(1)).all(3)
        is_child = (self.lengths > 0) & (self.log_total > -torch.inf)
        return is_equal & is_child.unsqueeze(1)


def _start(log_probs: Tensor, beam_size: int) -> _PrefixBeam:
    shape = (len(log_probs), beam_size)
    log_blank = log_probs.new_full(shape, -torch.inf, dtype=torch.float64)
    log_nonblank = log_blank.clone()
    log_blank[:, 0] = 0.0
    lengths = torch.zeros(shape, dtype=torch.int64, device=log_probs.device)
    return _PrefixBeam(lengths.new_full((*shape, 1), -1), lengths, log_blank, log_nonblank)


def _step(beam: _PrefixBeam, frame: _Frame) -> _PrefixBeam:
    is_parent = beam.is_parent()
    log_blank, log_nonblank = _stay(beam, frame, is_parent)
    log_grown = _grow(beam, frame, is_parent)
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
) -> _PrefixBeam:
    """The K best of the K prefixes that stay and the K * C that grow."""
    beam_size, num_candidates = log_grown.shape[1:]
    scores = torch.cat([torch.logaddexp(log_blank, log_nonblank), log_grown.flatten(1)], 1)
    best_scores, choices = scores.topk(beam_size)
    stays = choices < beam_size
    grown = (choices - beam_size).clamp(min=0)
    sources = torch.where(stays, choices, grown // num_candidates)
    new_labels = frame.candidates.gather(1, grown % num_candidates).masked_fill(stays, -1)
    lengths = beam.lengths.gather(1, sources)
    rows = torch.arange(len(sources), device=sources.device).unsqueeze(1)
    labels = functional.pad(beam.labels[rows, sources], (0, 1), value=-1)
    labels.scatter_(2, lengths.unsqueeze(2), new_labels.unsqueeze(2))
    lengths = lengths + ~stays
    return _PrefixBeam(
        labels[:, :, : max(1, int(lengths.max()))],
        lengths,
        log_blank.gather(1, sources).masked_fill(~stays, -torch.inf),
        torch.where(stays, log_nonblank.gather(1, sources), best_scores),
    )


def _finish(beam: _PrefixBeam) -> list[list[ScoredLabels]]:
    columns = zip(beam.labels.tolist(), beam.lengths.tolist(), beam.log_total.tolist(), strict=True)
    return [
        [
            ScoredLabels(row[:length], log_prob)
            for row, length, log_prob in zip(labels, lengths, log_probs, strict=True)
            if log_prob > -torch.inf
        ]
        for labels, lengths, log_probs in columns
    ]
