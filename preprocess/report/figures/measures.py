"""Measures of a stream, in one pass over it: lengths, unknown tokens, use of each token, room for CTC, digests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from ...data_bin.reader import DataBinReader, Stream
from ...errors import MismatchError
from ...files.tokens.ctc_steps import is_repeated
from ...vocabulary.dictionary import UNK_INDEX
from .speech_origins import SpeechOrigins, read_speech_origins


@dataclass
class Side:
    """One side of a stream. Lengths count tokens without </s> and language symbols.

    Attributes:
        lengths: (N,) tokens of each example.
        needed: (N,) steps that a CTC of these labels needs: each token, and a blank between equal neighbours.
        uses: (V,) how often each id occurs.
        sizes: (N,) characters of text with one for a space, or deduplicated units of speech.
        with_unknown: (M,) indices of the examples that have <unk>.
        digests: (N,) uint64, the same for the same tokens; a target's language is one of its tokens.
    """

    lengths: np.ndarray
    needed: np.ndarray
    uses: np.ndarray
    sizes: np.ndarray
    with_unknown: np.ndarray
    digests: np.ndarray

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
        origins: of speech; None: text.
    """

    stream: Stream
    sides: dict[str, Side]
    num_extra: int
    origins: SpeechOrigins | None

    @property
    def name(self) -> str:
        """Name of the stream with its split, such as `train.st`."""
        return f"{self.stream.split}.{self.stream.name}"

    @property
    def infeasible(self) -> dict[str, int]:
        """Number of sources too short for a CTC of targets, and of known transcripts."""
        return {name: int(self.is_infeasible(name).sum()) for name in self.sides if name != "source"}

    def is_infeasible(self, side: str) -> np.ndarray:
        """Mask of the examples whose source is too short for a CTC of this side, (N,) bool."""
        return self.sides["source"].lengths + self.num_extra < self.sides[side].needed

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
    origins = read_speech_origins(stream) if stream.name == "st" else None
    measures = Measures(stream, sides, num_extra, origins)
    for side in ("source", "target"):
        expected, found = getattr(stream.counts, f"{side}_tokens"), int(sides[side].lengths.sum())
        if expected != found:
            raise MismatchError(
                f"{side} of {measures.name} has changed since it was made: the card says {expected} "
                f"tokens, found {found}",
                place=data_bin.path,
                advice="make the data-bin again",
            )
    return measures


def _measure_side(stream: Stream, side: str, report: Callable[[int], object]) -> Side:
    is_token = stream.data_bin.is_token("target" if side == "target" else "source")
    symbol_sizes = _symbol_sizes(stream.data_bin, side) * is_token
    parts: list[tuple[np.ndarray, ...]] = []
    uses = np.zeros(len(is_token), dtype=np.int64)
    num_before = 0
    for rows in stream.chunks(side):
        report(len(rows))
        ids = np.concatenate(rows)
        starts = np.cumsum([0, *map(len, rows[:-1])])
        sizes = np.add.reduceat(symbol_sizes[ids], starts)
        with_unknown = num_before + np.flatnonzero(np.logical_or.reduceat(ids == UNK_INDEX, starts))
        # Sources of the same speech begin with the symbol of the language that each is translated into.
        digests = _digest(rows if side == "target" else [row[is_token[row]] for row in rows])
        parts.append((*_measure_rows(ids, starts, is_token), sizes, with_unknown, digests))
        uses += np.bincount(ids, minlength=len(uses))
        num_before += len(rows)
    lengths, needed, sizes, with_unknown, digests = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Side(lengths, needed, uses, sizes, with_unknown, digests)


def _symbol_sizes(data_bin: DataBinReader, side: str) -> np.ndarray:
    """Characters, or units, that each id stands for, (V,)."""
    symbols = data_bin.target_symbols if side == "target" else data_bin.source_symbols
    sizes = np.array([len(symbol) for symbol in symbols])
    sizes[UNK_INDEX] = 1
    return sizes


def _digest(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Digests of rows, (N,) uint64; 64 bits tell hundreds of millions of rows apart."""
    digests = b"".join(blake2b(row.tobytes(), digest_size=8).digest() for row in rows)
    return np.frombuffer(digests, dtype=np.uint64)


def _measure_rows(ids: np.ndarray, starts: np.ndarray, is_token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths, and steps needed for CTC, of the examples that begin at `starts`; each has at least its </s>."""
    is_counted = is_token[ids]
    # Over the border of two examples nothing is repeated: an example ends in </s> or a language symbol.
    needs_blank = is_repeated(ids) & is_counted
    lengths, repetitions = (np.add.reduceat(values.astype(np.int64), starts) for values in (is_counted, needs_blank))
    return lengths, lengths + repetitions
