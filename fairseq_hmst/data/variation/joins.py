"""Joined rows: of a share of the speech, each row is followed by another one of the same speaker."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from preprocess.files.tokens.ctc_steps import needed_for_ctc

from ..batch import TokenRows
from ..language_symbols import LanguageSymbolIds
from .draws import Draws, Purpose

if TYPE_CHECKING:
    from ..stream_rows import StreamRows

ALONE = -1  # in place of the row that follows


class JoinedRows:
    """Rows of which some go on with the text of another row; what is before and after their text stays.

    Args:
        rows: to be joined.
        following: (N,) the row that follows each; ALONE: none.
        num_before, num_after: tokens before and after the text; there is one after it at least.
        needs_both: whether a row without text, such as an unknown transcript, makes that of both unknown.
    """

    def __init__(
        self, rows: TokenRows[Tensor], following: np.ndarray, num_before: int, num_after: int, needs_both: bool = False
    ) -> None:
        self.rows, self.following, self.num_before, self.num_after = rows, following, num_before, num_after
        edges = num_before + num_after
        sizes = np.asarray(rows.sizes)
        added = sizes[following] - edges
        self._is_unknown = (following != ALONE) & needs_both & (np.minimum(sizes, sizes[following]) <= edges)
        joined = np.where(self._is_unknown, edges, sizes + added)
        self.sizes = np.where(following == ALONE, sizes, joined).astype(np.int32)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> Tensor:
        tokens, following = self.rows[row], int(self.following[row])
        if following == ALONE:
            return tokens
        end = tokens[len(tokens) - self.num_after :]
        if self._is_unknown[row]:
            return torch.cat([tokens[: self.num_before], end])
        return torch.cat([tokens[: len(tokens) - self.num_after], self.rows[following][self.num_before :]])


@dataclass(frozen=True)
class Joins:
    """Pairs of rows of speech: a random share of them is followed by another of its speaker.

    Attributes:
        share: of the rows that are drawn; of these, rows stay alone that have no other of their speaker, or that with
            the one that is drawn would be the same sentence twice, longer than the longest of all, or without a CTC
            path.
        groups: (N,) number of speaker and languages of each row; ALONE: the speaker is not known.
        language_symbols: of the data-bin.
    """

    share: float
    groups: np.ndarray
    language_symbols: LanguageSymbolIds

    def of_epoch(self, stream: "StreamRows", draws: Draws) -> "StreamRows":
        """The rows of a stream in an epoch, the same in both views."""
        before, after = self.language_symbols.source_edges
        before_target = self.language_symbols.num_target_symbols
        following = self._draw(stream, draws.generator(Purpose.JOINS), before + after)
        sources = JoinedRows(stream.sources, following, before, after)
        targets, transcripts, twins = stream.targets, stream.transcripts, stream.twins
        if transcripts is not None:
            transcripts = JoinedRows(transcripts, following, 0, 1, needs_both=True)
        return replace(
            stream,
            sources=sources,
            targets=None if targets is None else JoinedRows(targets, following, before_target, 1),
            transcripts=transcripts,
            twins=None if twins is None or transcripts is None else twins.of_texts(transcripts),
        )

    def _draw(self, stream: "StreamRows", generator: np.random.Generator, source_edges: int) -> np.ndarray:
        """The row that follows each, (N,)."""
        number = len(self.groups)
        following = np.full(number, ALONE)
        drawn = generator.permutation(number)[: round(number * self.share)]
        chances = generator.random(number)  # of each row, whether it is drawn or not
        members = {group: np.flatnonzero(self.groups == group) for group in np.unique(self.groups[drawn])}
        sides = [rows for rows in (stream.sources, stream.targets, stream.transcripts) if rows is not None]
        longest = [(np.asarray(rows.sizes), int(np.max(rows.sizes))) for rows in sides]
        for row in drawn:
            others = members[self.groups[row]]
            if self.groups[row] == ALONE or len(others) < 2:
                continue
            place = int(chances[row] * (len(others) - 1))
            other = others[place + (place >= np.searchsorted(others, row))]  # any but the row itself
            if stream.targets is not None and torch.equal(stream.targets[int(row)], stream.targets[int(other)]):
                continue  # the same sentence, as at another speed
            is_short = all(sizes[row] + sizes[other] <= bound for sizes, bound in longest)
            if is_short and self._has_path(stream, int(row), int(other), source_edges):
                following[row] = other
        return following

    def _has_path(self, stream: "StreamRows", row: int, other: int, source_edges: int) -> bool:
        """Whether CTC can align the labels of both with the inputs of both."""
        source_length = int(stream.sources.sizes[row]) + int(stream.sources.sizes[other]) - source_edges
        symbols, labels = self.language_symbols, []
        if stream.targets is not None:
            labels.append([symbols.labels(stream.targets[each]) for each in (row, other)])
        if stream.transcripts is not None:
            labels.append([stream.transcripts[each][:-1] for each in (row, other)])
        return all(source_length >= needed_for_ctc(torch.cat(both).numpy()) for both in labels)
