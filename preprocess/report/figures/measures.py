"""Measures of a stream, in one pass over it: lengths, unknown tokens, use of each token, room for CTC."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...data_bin.reader import Stream
from ...errors import MismatchError
from ...files.ctc_steps import is_repeated
from ...vocabulary.dictionary import UNK_INDEX


@dataclass
class Side:
    """One side of a stream. Lengths count tokens without </s> and language symbols.

    Attributes:
        lengths: (N,) tokens of each example.
        needed: (N,) steps that a CTC of these labels needs: each token, and a blank between equal neighbours.
        uses: (V,) how often each id occurs.
    """

    lengths: np.ndarray
    needed: np.ndarray
    uses: np.ndarray

    @property
    def num_unknown(self) -> int:
        """Number of <unk>."""
        return int(self.uses[UNK_INDEX])


@dataclass
class Measures:
    """All sides of a stream.

    Attributes:
        stream: the stream.
        sides: by name: source, target, and transcript where it has them.
        num_extra: tokens of each source that are </s> or a language symbol.
    """

    stream: Stream
    sides: dict[str, Side]
    num_extra: int

    @property
    def infeasible(self) -> dict[str, int]:
        """Number of sources too short for a CTC of targets, and of known transcripts."""
        steps = self.sides["source"].lengths + self.num_extra
        return {name: int(np.sum(steps < side.needed)) for name, side in self.sides.items() if name != "source"}

    def infeasible_when_repeated(self, factor: int) -> int:
        """Like `infeasible` for the targets of a text stream whose source tokens are repeated `factor` times."""
        repeat = self.stream.data_bin.card.repeat
        steps = self.sides["source"].lengths // repeat * factor + self.num_extra
        return int(np.sum(steps < self.sides["target"].needed))


def measure(stream: Stream, report: Callable[[int], object]) -> Measures:
    """Go through each side of a stream once; `report` is told of examples read.

    Raises:
        MismatchError: the files do not hold what the card says.
    """
    data_bin = stream.data_bin
    sides = {side: _measure_side(stream, side, report) for side in stream.sides}
    num_extra = 2 if data_bin.language_symbols else 1
    measures = Measures(stream, sides, num_extra)
    for side in ("source", "target"):
        expected, found = getattr(stream.counts, f"{side}_tokens"), int(sides[side].lengths.sum())
        if expected != found:
            raise MismatchError(
                f"{side} of {stream.split}.{stream.name} has changed since it was made: the card says {expected} "
                f"tokens, found {found}",
                place=data_bin.path,
                advice="make the data-bin again",
            )
    return measures


def _measure_side(stream: Stream, side: str, report: Callable[[int], object]) -> Side:
    is_token = stream.data_bin.is_token("target" if side == "target" else "source")
    lengths, needed = [], []
    uses = np.zeros(len(is_token), dtype=np.int64)
    for rows in stream.chunks(side):
        report(len(rows))
        found = _measure_rows(rows, is_token)
        lengths.append(found[0])
        needed.append(found[1])
        uses += np.bincount(np.concatenate(rows), minlength=len(uses))
    return Side(np.concatenate(lengths), np.concatenate(needed), uses)


def _measure_rows(rows: Sequence[np.ndarray], is_token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths, and steps needed for CTC, of some examples, each with at least its </s>."""
    ids = np.concatenate(rows)
    starts = np.cumsum([0, *map(len, rows[:-1])])
    is_counted = is_token[ids]
    # Over the border of two examples nothing is repeated: an example ends in </s> or a language symbol.
    needs_blank = is_repeated(ids) & is_counted
    lengths, repetitions = (np.add.reduceat(values.astype(np.int64), starts) for values in (is_counted, needs_blank))
    return lengths, lengths + repetitions
