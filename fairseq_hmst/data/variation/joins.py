"""Joined rows: of a share of the speech, each row is followed by another one of the same speaker."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from preprocess.files.tokens.ctc_steps import needed_for_ctc

from ..batch import TokenRows
from ..language_symbols import LanguageSymbolIds
from .draws import Draws, Purpose
from .row_steps import longest

if TYPE_CHECKING:
    from ..stream_rows import StreamRows

ALONE = -1  # in place of the row that follows


class JoinedRows:
    """Rows of which some go on with the text of another row; what is before and after their text stays.

    Args:
        rows: to be joined.
        following: (N,) the row that follows each; ALONE: none.
        num_before, num_after: tokens before and after the text; there is one after it at least.
    """

    def __init__(self, rows: TokenRows[Tensor], following: np.ndarray, num_before: int, num_after: int) -> None:
        self.rows, self.following, self.num_before, self.num_after = rows, following, num_before, num_after
        sizes = np.asarray(rows.sizes)
        added = sizes[following] - num_before - num_after
        self.sizes = np.where(following == ALONE, sizes, sizes + added).astype(np.int32)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> Tensor:
        tokens, following = self.rows[row], int(self.following[row])
        if following == ALONE:
            return tokens
        return torch.cat([tokens[: len(tokens) - self.num_after], self.rows[following][self.num_before :]])


def joinable_groups(groups: np.ndarray, targets: TokenRows[Tensor]) -> np.ndarray:
    """Groups (N,) of rows; ALONE where all rows of a group have one target, as at several speeds."""
    first: dict[int, Tensor] = {}
    with_others: set[int] = set()
    for row, group in enumerate(groups.tolist()):
        if group != ALONE and group not in with_others:
            target = targets[row]
            if not torch.equal(first.setdefault(group, target), target):
                with_others.add(group)
    return np.where(np.isin(groups, sorted(with_others)), groups, ALONE)


@dataclass(frozen=True)
class Joins:
    """Pairs of rows of speech: a random share of them is followed by another of its speaker.

    Attributes:
        share: of the rows that are drawn; of these, rows stay alone that have no other of their speaker, or that with
            the one that is drawn would be the same sentence twice, longer than the longest that is trained on, or
            without a CTC path, or of which one has a transcript and the other has none.
        groups: (N,) number of speaker and languages of each row; ALONE: none, see `joinable_groups`.
        language_symbols: of the data-bin.
    """

    share: float
    groups: np.ndarray
    language_symbols: LanguageSymbolIds

    @property
    def num_joinable(self) -> int:
        """Number of rows that have another one of their speaker, with another sentence."""
        return int((self.groups != ALONE).sum())

    def of_epoch(self, stream: "StreamRows", draws: Draws) -> "StreamRows":
        """The rows of a stream in an epoch, the same in both views."""
        before, after = self.language_symbols.source_edges
        before_target = self.language_symbols.num_target_symbols
        following = self._draw(stream, draws.generator(Purpose.JOINS))
        targets, transcripts, twins = stream.targets, stream.transcripts, stream.twins
        transcripts = None if transcripts is None else JoinedRows(transcripts, following, 0, 1)
        return replace(
            stream,
            sources=JoinedRows(stream.sources, following, before, after),
            targets=None if targets is None else JoinedRows(targets, following, before_target, 1),
            transcripts=transcripts,
            twins=None if twins is None or transcripts is None else twins.of_texts(transcripts),
        )

    def _draw(self, stream: "StreamRows", generator: np.random.Generator) -> np.ndarray:
        """The row that follows each, (N,)."""
        number = len(self.groups)
        following = np.full(number, ALONE)
        drawn = generator.permutation(number)[: round(number * self.share)]
        chances = generator.random(number)  # of each row, whether it is drawn or not
        members = {group: np.flatnonzero(self.groups == group) for group in np.unique(self.groups[drawn])}
        symbols = self.language_symbols
        max_source, max_target = stream.max_lengths
        sides = [(rows, symbols.num_source_edges, max_source) for rows in (stream.sources, stream.twins)]
        sides.append((stream.targets, symbols.num_target_symbols + 1, max_target))
        sides.append((stream.transcripts, 1, math.inf))
        room = [
            (rows, edges + longest(np.asarray(rows.sizes), max_length))
            for rows, edges, max_length in sides
            if rows is not None
        ]
        for row in drawn.tolist():
            others = members[self.groups[row]]
            if self.groups[row] == ALONE:
                continue
            place = int(chances[row] * (len(others) - 1))
            other = int(others[place + (place >= np.searchsorted(others, row))])  # any but the row itself
            is_short = all(rows.sizes[row] + rows.sizes[other] <= most for rows, most in room)
            if is_short and self._fit(stream, row, other):
                following[row] = other
        return following

    def _fit(self, stream: "StreamRows", row: int, other: int) -> bool:
        """Whether rows differ, have or lack transcripts both, and have a CTC path together."""
        symbols, pair = self.language_symbols, [row, other]
        labels = []
        if stream.targets is not None:
            labels.append([symbols.labels(stream.targets[each]) for each in pair])
            if torch.equal(*labels[0]):
                return False  # the same sentence, as at another speed
        if stream.transcripts is not None:
            labels.append([stream.transcripts[each][:-1] for each in pair])
            if (len(labels[-1][0]) > 0) != (len(labels[-1][1]) > 0):
                return False  # else the transcript of one would be lost
        inputs = [int(stream.sources.sizes[pair].sum()) - symbols.num_source_edges]
        if stream.twins is not None and stream.twins.sizes[row] > 0:
            inputs.append(int(stream.twins.sizes[pair].sum()) - symbols.num_source_edges)
        return all(min(inputs) >= needed_for_ctc(torch.cat(both).numpy()) for both in labels)
