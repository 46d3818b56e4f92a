"""Prefixes of examples: where a source and its translation may be cut together, and the cut rows of an epoch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..batch import TokenRows
from ..language_symbols import LanguageSymbolIds
from .draws import Draws, Purpose
from .row_steps import steps_of_prefixes

if TYPE_CHECKING:
    from ..stream_rows import StreamRows

WHOLE = -1  # in place of a number of tokens


@dataclass(frozen=True)
class Cuts:
    """Places where rows of a stream may be cut.

    Attributes:
        places: (M, 3) int32, row after row: tokens of the source, labels and tokens of the transcript before the cut,
            without language symbols; 0 of a transcript that is not known so far.
        counts: (N,) int64 places of each row.
    """

    places: np.ndarray
    counts: np.ndarray

    @classmethod
    def of_rows(cls, places: Sequence[np.ndarray]) -> "Cuts":
        """Gather the places (C, 3) of each row."""
        counts = np.array([len(each) for each in places], dtype=np.int64)
        return cls(np.concatenate([np.zeros((0, 3), dtype=np.int32), *places]), counts)

    def draw(self, generator: np.random.Generator, share: float) -> np.ndarray:
        """One place of each of a random share of all rows.

        Returns:
            (N, 3) the places; WHOLE in rows that were not drawn or cannot be cut.
        """
        drawn = generator.permutation(len(self.counts))[: round(len(self.counts) * share)]
        numbers = generator.integers(np.maximum(self.counts, 1))  # of each row, whether it is drawn or not
        chosen = drawn[self.counts[drawn] > 0]
        first = np.cumsum(self.counts) - self.counts
        found = np.full((len(self.counts), 3), WHOLE)
        found[chosen] = self.places[first[chosen] + numbers[chosen]]
        return found


def possible_cuts(
    alignment: np.ndarray,
    labels: np.ndarray,
    transcript_alignment: np.ndarray,
    transcript: np.ndarray,
    num_symbols: int = 1,
) -> np.ndarray:
    """Places where a row may be cut: all labels before it look before it, all others behind it.

    A label looks at the token of most weight, or, if that lies before, where the label before it looks. What is left of
    source and translation is neither empty nor whole, and there is a CTC path.

    Args:
        alignment: (U, T) weights of the source's tokens for each label, without language symbols and eos.
        labels: (U,) of the translation.
        transcript_alignment: (S, T) the same of the transcript.
        transcript: (S,) its tokens; none where it is not known.
        num_symbols: language symbols and eos of a source, which are steps of CTC as well.

    Returns:
        (C, 3) int32; see Cuts.
    """
    kept = np.arange(1, alignment.shape[1])
    kept_labels = _looking_at_first(kept, alignment)
    possible = (kept_labels > 0) & (kept_labels < len(labels))
    kept_transcript = _looking_at_first(kept, transcript_alignment)
    needed = np.maximum(steps_of_prefixes(labels)[kept_labels], steps_of_prefixes(transcript)[kept_transcript])
    possible &= kept + num_symbols >= needed
    return np.stack([kept, kept_labels, kept_transcript], axis=1)[possible].astype(np.int32)


def _looking_at_first(kept: np.ndarray, alignment: np.ndarray) -> np.ndarray:
    """Number of labels before the first one that looks behind the first `kept` tokens."""
    if len(alignment) == 0:
        return np.zeros_like(kept)
    return np.searchsorted(np.maximum.accumulate(alignment.argmax(axis=1)), kept)


class CutRows:
    """Rows of which some are cut; what is before and after their text, such as eos, stays.

    Args:
        rows: whole.
        kept: (N,) tokens of the text that a row keeps; WHOLE: it is not cut.
        num_before, num_after: tokens before and after the text; there is one after it at least.
    """

    def __init__(self, rows: TokenRows[Tensor], kept: np.ndarray, num_before: int, num_after: int) -> None:
        self.rows, self.kept, self.num_before, self.num_after = rows, kept, num_before, num_after
        self.sizes = np.where(kept == WHOLE, rows.sizes, num_before + kept + num_after).astype(np.int32)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> Tensor:
        tokens, kept = self.rows[row], int(self.kept[row])
        return tokens if kept == WHOLE else torch.cat([tokens[: self.num_before + kept], tokens[-self.num_after :]])


@dataclass(frozen=True)
class Prefixes:
    """A random share of a stream's rows as prefixes of themselves, others in each epoch.

    Attributes:
        cuts: of the rows.
        share: of the rows that are drawn; of these, rows without a possible cut stay whole.
        language_symbols: of the data-bin; a prefix keeps those of its row.
    """

    cuts: Cuts
    share: float
    language_symbols: LanguageSymbolIds

    def of_epoch(self, stream: "StreamRows", draws: Draws) -> "StreamRows":
        """The rows of a stream in an epoch, the same in both views.

        A prefix ends in eos as a whole row does. Its transcript ends where its source does, and is unknown where
        nothing is left of it.
        """
        source, labels, transcript = self.cuts.draw(draws.generator(Purpose.PREFIXES), self.share).T
        before, after = self.language_symbols.source_edges
        before_target = self.language_symbols.num_target_symbols
        targets, transcripts = stream.targets, stream.transcripts
        return replace(
            stream,
            sources=CutRows(stream.sources, source, before, after),
            targets=None if targets is None else CutRows(targets, labels, before_target, 1),
            transcripts=None if transcripts is None else CutRows(transcripts, transcript, 0, 1),
        )
