"""Use of the dictionaries: how many of their pieces occur, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...data_bin.reader import DataBinReader
from ...vocabulary.dictionary import SPECIAL_SYMBOLS
from .measures import Measures


@dataclass(frozen=True)
class PieceUse:
    """Use of the pieces of one kind in the first split.

    Attributes:
        pieces: in the dictionary.
        used: pieces that occur.
        tokens: occurrences.
    """

    pieces: int
    used: int
    tokens: int


def describe_dictionaries(data_bin: DataBinReader, streams: Sequence[Measures]) -> dict[str, PieceUse]:
    """Use of unit, source and target pieces in the first split, by these names."""
    sources = np.zeros(len(data_bin.source_symbols), dtype=np.int64)
    targets = np.zeros(len(data_bin.target_symbols), dtype=np.int64)
    for measures in streams:
        if measures.stream.split == streams[0].stream.split:
            for name, side in measures.sides.items():
                uses = targets if name == "target" else sources
                uses += side.uses
    first_target = len(SPECIAL_SYMBOLS)
    pieces = {
        "unit": sources[data_bin.unit_pieces],
        "source": sources[data_bin.text_pieces],
        "target": targets[first_target : first_target + data_bin.card.dictionary.target_subwords],
    }
    return {
        name: PieceUse(pieces=len(uses), used=int(np.count_nonzero(uses)), tokens=int(uses.sum()))
        for name, uses in pieces.items()
    }
