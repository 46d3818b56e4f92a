"""Inputs of the examples of an epoch: masked, and in two views where a training compares such."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from torch import Tensor

from preprocess.files.tokens.ctc_steps import needed_for_ctc

from .batch import TokenRows
from .language_symbols import LanguageSymbolIds
from .stream_rows import StreamRows
from .twins import RepeatedText
from .variation.draws import Draws, Purpose
from .variation.masks import Masks
from .views import PieceLengths, SecondView, shared_steps


class Input(NamedTuple):
    """An input of an example, and that of its second view, if there is one."""

    tokens: Tensor
    second: SecondView | None


@dataclass(frozen=True)
class ExampleInputs:
    """Makes inputs of the rows of a stream.

    Attributes:
        masks: of the inputs of each stream, by name; text twins have those of `mt`.
        piece_lengths: of the input dictionary, where examples have two views; else None.
    """

    masks: Mapping[str, Masks] = field(default_factory=dict)
    piece_lengths: PieceLengths | None = None

    @property
    def num_views(self) -> int:
        """Views of each example."""
        return 1 if self.piece_lengths is None else 2

    def source(
        self, views: Sequence[StreamRows], row: int, draws: Sequence[Draws], index: int, symbols: LanguageSymbolIds
    ) -> Input:
        """Input of a row.

        Args:
            views: the stream in each view.
            row: of the stream.
            draws: of each view.
            index: of the example in its epoch, which its masks depend on.
            symbols: of the data-bin.
        """
        steps = self._needed_steps(views[0].name, views[0], row, symbols)
        sources = [view.sources for view in views]
        return self._make(sources, row, views[0].name, steps, draws, (index, 0), symbols.source_edges)

    def twin(
        self, views: Sequence[StreamRows], row: int, draws: Sequence[Draws], index: int, symbols: LanguageSymbolIds
    ) -> Input | None:
        """Input of a row's text twin; None where it has none. See `source` for the arguments."""
        twins = [view.twins.repeated for view in views if view.twins is not None and view.twins.sizes[row] > 0]
        if not twins:
            return None
        steps = self._needed_steps("mt", views[0], row, symbols)
        return self._make(twins, row, "mt", steps, draws, (index, 1), symbols.source_edges)

    def _needed_steps(self, name: str, stream: StreamRows, row: int, symbols: LanguageSymbolIds) -> int:
        """Steps that the masks of a stream's name must leave."""
        masks = self.masks.get(name)
        return 0 if masks is None or masks.form == "replace" else _steps_for_ctc(stream, row, symbols)

    def _make(
        self,
        sources: Sequence[TokenRows[Tensor]],
        row: int,
        stream: str,
        steps: int,
        draws: Sequence[Draws],
        of: tuple[int, int],
        edges: tuple[int, int],
    ) -> Input:
        inputs, lengths = [], []
        for rows, drawn in zip(sources, draws, strict=True):
            tokens = rows[row]
            counts = rows.counts_of(row) if isinstance(rows, RepeatedText) else None
            if self.piece_lengths is not None:
                lengths.append(self.piece_lengths.of_source(tokens, edges, counts))
            if stream in self.masks:
                generator = drawn.generator(Purpose.MASKS, drawn.view, *of)
                tokens = self.masks[stream].apply(tokens, edges, counts, steps, generator)
            inputs.append(tokens)
        if len(inputs) == 1:
            return Input(inputs[0], None)
        return Input(inputs[0], SecondView(inputs[1], shared_steps(lengths[0], lengths[1])))


def _steps_for_ctc(stream: StreamRows, row: int, symbols: LanguageSymbolIds) -> int:
    """Encoder steps that CTC needs for the labels of a row."""
    labels: list[np.ndarray] = []
    if stream.targets is not None:
        labels.append(symbols.labels(stream.targets[row]).numpy())
    if stream.transcripts is not None:
        labels.append(stream.transcripts[row][:-1].numpy())
    return max(map(needed_for_ctc, labels), default=0)
