"""Segmentations drawn from a SentencePiece unigram model: forward filtering and backward sampling, many rows at once.

SentencePiece's own draws are others in each process, whatever its seed, so that no training could be resumed with them.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from sentencepiece import SentencePieceProcessor

from .flat_rows import FlatRows

NONE = -1  # in place of an id, a character or a state of the trie
CHUNK_CELLS = 2**22  # rows times characters times piece lengths that are in memory at once


class UnigramSampler:
    """Draws segmentations with probabilities that are powers of the model's (Kudo 2018, arXiv:1804.10959, eq. 8).

    Args:
        model: a unigram model.
        symbols: of the dictionary whose ids rows have; pieces that it lacks are not drawn.
        alpha: the power, above 0; at 1 segmentations have the model's own probabilities, and lower ones are flatter.

    Raises:
        ValueError: the model is of another kind.
    """

    def __init__(self, model: SentencePieceProcessor, symbols: Sequence[str], alpha: float) -> None:
        if not _is_unigram(model):
            raise ValueError("is no unigram model of SentencePiece, but of another kind, such as BPE")
        scores = {
            model.id_to_piece(number): alpha * model.get_score(number)
            for number in range(len(model))
            if not (model.is_control(number) or model.is_unknown(number) or model.is_byte(number))
        }
        characters: dict[str, int] = {}
        spellings = []  # of each id: that of a piece, or else a character of its own, which is cut in one way
        for number, symbol in enumerate(symbols):
            spelling = list(symbol) if symbol in scores else [f"id {number}"]
            spellings.append([characters.setdefault(character, len(characters)) for character in spelling])
        self._spellings = FlatRows.of([np.array(spelling) for spelling in spellings])
        self._scores = np.array([scores.get(symbol, 0.0) for symbol in symbols])
        self._trie = _Trie(spellings, len(characters))

    def sample(self, rows: FlatRows, generator: np.random.Generator) -> FlatRows:
        """Other pieces (ids) of the same text, for each row; what is no piece of the model stays in its place."""
        texts = self._spell(rows)
        drawn: list[np.ndarray] = [np.zeros(0, dtype=np.int32)] * len(rows)
        for chunk in self._chunks(texts.sizes):
            for row, pieces in zip(chunk.tolist(), self._sample(texts, chunk, generator), strict=True):
                drawn[row] = pieces
        return FlatRows.of(drawn)

    def _spell(self, rows: FlatRows) -> FlatRows:
        """Characters of rows of ids."""
        lengths = self._spellings.sizes[rows.tokens].astype(np.int64)
        first = np.cumsum(self._spellings.sizes, dtype=np.int64) - self._spellings.sizes
        places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        characters = self._spellings.tokens[np.repeat(first[rows.tokens], lengths) + places]
        return FlatRows(characters, FlatRows(lengths, rows.sizes).sums)

    def _chunks(self, lengths: np.ndarray) -> Iterator[np.ndarray]:
        """Rows of like lengths, as many as fit into memory; rows without characters are in none."""
        order = np.argsort(lengths, kind="stable")
        order = order[lengths[order] > 0]
        while len(order) > 0:
            cells = np.arange(1, len(order) + 1) * (lengths[order].astype(np.int64) + 1) * self._trie.depth
            number = max(int(np.searchsorted(cells, CHUNK_CELLS, side="right")), 1)
            yield order[:number]
            order = order[number:]

    def _sample(self, texts: FlatRows, chunk: np.ndarray, generator: np.random.Generator) -> list[np.ndarray]:
        lengths = texts.sizes[chunk].astype(np.int64)
        longest, depth = int(lengths.max()), self._trie.depth
        padded = np.full((len(chunk), longest), NONE)
        padded[np.arange(longest) < lengths[:, None]] = np.concatenate([texts.array(row) for row in chunk.tolist()])
        ids = self._trie.pieces_by_end(padded)  # (rows, longest + 1, depth)
        shares = np.where(ids == NONE, 0.0, np.exp(self._scores)[ids])
        # of each end, shares of the lengths of its last piece: each is that of all segmentations of what is before it
        # (`before`, of the ends 1 to `depth` characters earlier, up to a factor) times that of the piece
        before = np.zeros((len(chunk), depth))
        before[:, 0] = 1.0
        for end in range(1, longest + 1):
            shares[:, end] *= before
            before = np.concatenate([shares[:, end].sum(axis=1, keepdims=True), before[:, :-1]], axis=1)
            largest = before.max(axis=1, keepdims=True)
            before /= np.where(largest > 0, largest, 1.0)
        shares = shares.cumsum(axis=2)
        chances = generator.random((longest, len(chunk)))
        pieces = np.full((len(chunk), longest), NONE)  # each at the place where it begins
        ends, active = lengths, np.arange(len(chunk))
        for chance in chances:
            end = ends[active]
            weights = shares[active, end]
            chosen = (weights <= chance[active, None] * weights[:, -1:]).sum(axis=1)
            ends[active] = end - chosen - 1
            pieces[active, ends[active]] = ids[active, end, chosen]
            active = active[ends[active] > 0]
            if len(active) == 0:
                break
        return [row[row != NONE] for row in pieces]


class _Trie:
    """Spellings by their beginnings.

    Args:
        spellings: characters of each id.
        num_characters: number of different ones.

    Attributes:
        depth: characters of the longest.
    """

    def __init__(self, spellings: Sequence[Sequence[int]], num_characters: int) -> None:
        self.depth = max(map(len, spellings))
        self._num_characters = num_characters
        nodes: dict[tuple[int, int], int] = {}
        ids: dict[int, int] = {}
        for number, spelling in enumerate(spellings):
            node = 0
            for character in spelling:
                node = nodes.setdefault((node, character), len(nodes) + 1)
            ids.setdefault(node, number)
        keys = np.array([node * num_characters + character for node, character in nodes])
        order = np.argsort(keys)
        self._keys, self._next = keys[order], np.array(list(nodes.values()))[order]
        self._ids = np.array([ids.get(node, NONE) for node in range(len(nodes) + 1)])

    def pieces_by_end(self, characters: np.ndarray) -> np.ndarray:
        """Ids of the pieces that end before each place.

        Args:
            characters: (R, N), NONE behind the end of a row.

        Returns:
            (R, N + 1, depth) ids of the pieces of 1 to `depth` characters; NONE where there is no such piece.
        """
        number, longest = characters.shape
        found = np.full((number, longest + 1, self.depth), NONE)
        rows, starts = np.nonzero(characters != NONE)
        nodes = np.zeros(len(rows), dtype=np.int64)
        for length in range(1, self.depth + 1):
            is_inside = starts + length <= longest
            rows, starts, nodes = rows[is_inside], starts[is_inside], nodes[is_inside]
            following = characters[rows, starts + length - 1]
            keys = nodes * self._num_characters + following
            places = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
            goes_on = (following != NONE) & (self._keys[places] == keys)
            rows, starts, nodes = rows[goes_on], starts[goes_on], self._next[places[goes_on]]
            found[rows, starts + length, length - 1] = self._ids[nodes]
        return found


def _is_unigram(model: SentencePieceProcessor) -> bool:
    """Whether a model is of the kind that has segmentations beside the best one."""
    try:
        model.nbest_encode("a", nbest_size=2)
    except RuntimeError:
        return False
    return True
