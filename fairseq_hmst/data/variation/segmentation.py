"""Other pieces of the same units and text: subword regularization (Kudo 2018, arXiv:1804.10959)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..batch import TokenRows
from ..flat_rows import FlatRows, inner_tokens
from ..language_symbols import LanguageSymbolIds
from ..twins import RepeatedText, TextTwins
from .draws import Draws, Purpose
from .row_steps import fits, longest, steps_of_rows
from .unigram_sampler import UnigramSampler

if TYPE_CHECKING:
    from ..stream_rows import StreamRows

SIDES = ("units", "source", "target")  # whose segmentation may be sampled


class Draw(IntEnum):
    """Kinds of pieces that a stream has; each is sampled by its own draws."""

    UNITS = 0
    TARGETS = 1
    TRANSCRIPTS = 2
    TEXTS = 3  # of inputs in the second view


@dataclass(frozen=True)
class Segmentation:
    """Other pieces for the rows of a stream that an epoch uses.

    Both views of a row have the same labels, and inputs of their own. A row keeps its pieces where others would be
    longer than the longest row that is trained on, or leave CTC without a path.

    Attributes:
        samplers: of some of SIDES.
        language_symbols: of the data-bin.
    """

    samplers: Mapping[str, UnigramSampler]
    language_symbols: LanguageSymbolIds

    def of_epoch(self, stream: "StreamRows", draws: Draws) -> "StreamRows":
        """The rows of a stream in an epoch and a view."""
        labels = self._sample_labels(stream, draws)
        steps = np.max([np.zeros(len(stream.sources), dtype=np.int64), *map(steps_of_rows, labels.values())], axis=0)
        found = replace(stream)
        if stream.targets is not None and "target" in self.samplers:
            before = self.language_symbols.num_target_symbols
            found.targets = WithEdges(labels["targets"], stream.targets, before, 1)
        if stream.transcripts is None or "source" not in self.samplers:
            transcripts = None
        else:
            transcripts = found.transcripts = WithEdges(labels["transcripts"], stream.transcripts, 0, 1)
        if stream.name == "st" and "units" in self.samplers:
            found.sources = self._sample_units(stream, steps, draws)
        if transcripts is not None and stream.transcripts is not None:
            texts = transcripts
            if draws.view > 0:
                texts = WithEdges(self._sample_texts(stream.transcripts, stream, draws), stream.transcripts, 0, 1)
            if isinstance(stream.sources, RepeatedText):
                found.sources = _fitting(stream.sources, texts, steps, stream.max_lengths[0])
            if stream.twins is not None:
                found.twins = TextTwins(_fitting(stream.twins.repeated, texts, steps, stream.max_lengths[0]))
        return found

    def _sample_labels(self, stream: "StreamRows", draws: Draws) -> dict[str, FlatRows]:
        """Labels of each head, sampled where that is asked for: `targets`, and `transcripts` where there are any."""
        before = self.language_symbols.num_target_symbols
        max_target = stream.max_lengths[1] - before - 1
        kinds = {
            "targets": (stream.targets, before, "target", Draw.TARGETS, max_target),
            "transcripts": (stream.transcripts, 0, "source", Draw.TRANSCRIPTS, math.inf),
        }
        room = np.asarray(stream.sources.sizes)
        if stream.twins is not None:
            room = np.where(stream.twins.sizes > 0, np.minimum(room, stream.twins.sizes), room)
        labels = {}
        for kind, (rows, before, side, draw, max_length) in kinds.items():
            if rows is None:
                continue
            labels[kind] = stored = inner_tokens(rows, before, 1)
            if side in self.samplers:
                generator = draws.generator(Purpose.SEGMENTATION, draw, stream.number)
                sampled = self._sample(side, stored, stream.used, generator)
                is_first = (sampled.sizes <= longest(stored.sizes, max_length)) & (steps_of_rows(sampled) <= room)
                labels[kind] = _first_where(is_first, sampled, stored)
        return labels

    def _sample_texts(self, transcripts: TokenRows[Tensor], stream: "StreamRows", draws: Draws) -> FlatRows:
        """Texts of inputs, of a view whose labels have others."""
        generator = draws.generator(Purpose.SEGMENTATION, Draw.TEXTS, stream.number, draws.view)
        return self._sample("source", inner_tokens(transcripts, 0, 1), stream.used, generator)

    def _sample_units(self, stream: "StreamRows", steps: np.ndarray, draws: Draws) -> "WithEdges":
        before, after = self.language_symbols.source_edges
        stored = inner_tokens(stream.sources, before, after)
        generator = draws.generator(Purpose.SEGMENTATION, Draw.UNITS, stream.number, draws.view)
        sampled = self._sample("units", stored, stream.used, generator)
        max_length = longest(stored.sizes + before + after, stream.max_lengths[0])
        is_first = fits(sampled.sizes + before + after, max_length, steps)
        return WithEdges(_first_where(is_first, sampled, stored), stream.sources, before, after)

    def _sample(self, side: str, stored: FlatRows, used: np.ndarray | None, generator: np.random.Generator) -> FlatRows:
        """Rows of which those that an epoch uses are sampled."""
        used = np.arange(len(stored)) if used is None else used
        return stored.with_rows(used, self.samplers[side].sample(stored.take(used), generator))


class WithEdges:
    """Rows of text between the tokens that stored rows have before and after theirs.

    Args:
        texts: without these tokens.
        stored: rows with them.
        num_before, num_after: numbers of these tokens; there is one after the text at least.
    """

    def __init__(self, texts: FlatRows, stored: TokenRows[Tensor], num_before: int, num_after: int) -> None:
        self.texts, self.stored, self.num_before, self.num_after = texts, stored, num_before, num_after
        self.sizes = (texts.sizes + num_before + num_after).astype(np.int32)

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, row: int) -> Tensor:
        stored = self.stored[row]
        return torch.cat([stored[: self.num_before], self.texts[row], stored[-self.num_after :]])


def _first_where(is_first: np.ndarray, first: FlatRows, second: FlatRows) -> FlatRows:
    """Rows of `first` where `is_first` (N,) is True, of `second` elsewhere."""
    places = np.flatnonzero(is_first)
    return second.with_rows(places, first.take(places))


def _fitting(repeated: RepeatedText, texts: WithEdges, steps: np.ndarray, max_length: float) -> RepeatedText:
    """Repeated texts; a row keeps its own where others would be too long, or too short for CTC."""
    sampled = repeated.of_texts(texts)
    is_first = fits(sampled.sizes, longest(repeated.sizes, max_length), steps)
    stored = inner_tokens(repeated.texts, 0, 1)
    return repeated.of_texts(WithEdges(_first_where(is_first, texts.texts, stored), repeated.texts, 0, 1))
