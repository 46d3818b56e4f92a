"""Pieces of units that later units can no longer change."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor


def settled_pieces(model: SentencePieceProcessor, text: str, num_settled: int) -> tuple[list[str], int]:
    """Pieces of a text, and the number of leading ones that no continuation changes.

    The best path of a unigram model to a boundary between pieces is that of the text up to there, whatever follows.
    So the settled pieces are those that all possible last boundaries among the settled characters share: their end,
    and each place from which a longer piece may begin.

    Args:
        model: a unigram model that changes no character of `text` and adds none, as `train_model` makes of units.
        text: unit characters.
        num_settled: leading characters that stay as they are, 0..length of `text`.

    Returns:
        pieces: all of `text`, as the model encodes it.
        num_settled_pieces: of these.
    """
    pieces = model.encode(text, out_type=str)
    starts = _starts_of_pieces(model)
    longest = max(map(len, starts), default=0)
    settled = text[:num_settled]
    boundaries = [place for place in range(max(0, num_settled - longest), num_settled) if settled[place:] in starts] + [
        num_settled
    ]
    shared = pieces
    for encoded in model.encode([settled[:boundary] for boundary in boundaries], out_type=str):
        shared = _common(shared, _without_unknown_end(model, encoded))
    return pieces, len(shared)


@functools.lru_cache(maxsize=8)
def _starts_of_pieces(model: SentencePieceProcessor) -> frozenset[str]:
    """Beginnings of pieces that are longer."""
    pieces = (model.id_to_piece(index) for index in range(model.get_piece_size()) if not model.is_unknown(index))
    return frozenset(piece[:length] for piece in pieces for length in range(1, len(piece)))


def _without_unknown_end(model: SentencePieceProcessor, pieces: list[str]) -> list[str]:
    """Pieces up to an unknown last one, which SentencePiece joins with unknown characters behind it."""
    return pieces[:-1] if pieces and model.is_unknown(model.piece_to_id(pieces[-1])) else pieces


def _common(first: Iterable[str], second: Iterable[str]) -> list[str]:
    """Leading items that two lists share."""
    return [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))]
