"""Segmentations drawn from a SentencePiece unigram model: forward filtering and backward sampling, many rows at once.

SentencePiece's own draws are others in each process, whatever its seed, so that no training could be resumed with them.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from sentencepiece import SentencePieceProcessor

from ..flat_rows import FlatRows

NONE = -1  # in place of an id, a character or a state of the trie
CHUNK_CELLS = 2**22  # rows times characters times piece lengths that are in memory at once
RESCALED = 8  # characters after which weights, which fall with each of them, are made larger again


class UnigramSampler:
    """Draws segmentations with probabilities that are powers of the model's (Kudo 2018, arXiv:1804.10959, eq. 8).

    Args:
        model: a unigram model.
        symbols: of the dictionary whose ids rows have; pieces that it lacks are not drawn.
        alpha: the power, above 0; at 1 segmentations have the model's own probabilities, and lower ones are flatter.

    Raises:
        ValueError: the model is of another kind, or knows but one way to cut any text.
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
        # and of NONE, which is the last place as well
        self._weights = np.exp([*(scores.get(symbol, 0.0) for symbol in symbols), -np.inf])
        self._trie = _Trie(spellings, len(characters))
        if self._trie.depth == 1:
            raise ValueError("has no piece of two characters or more, so that there is but one way to cut anything")

    def sample(self, rows: FlatRows, generator: np.random.Generator) -> FlatRows:
        """Other pieces (ids) of the same text, for each row; what is no piece of the model stays in its place."""
        spelled = self._spellings.take(rows.tokens)
        texts = FlatRows(spelled.tokens, FlatRows(spelled.sizes, rows.sizes).sums)
        order = np.argsort(texts.sizes, kind="stable")
        drawn = [self._sample(texts.take(chunk), generator) for chunk in self._chunks(order, texts.sizes)]
        sizes = np.concatenate([np.zeros(0, dtype=np.int32), *(chunk.sizes for chunk in drawn)])
        tokens = np.concatenate([np.zeros(0, dtype=np.int32), *(chunk.tokens for chunk in drawn)])
        return FlatRows(tokens, sizes).take(np.argsort(order))

    def _chunks(self, order: np.ndarray, lengths: np.ndarray) -> Iterator[np.ndarray]:
        """Rows of like lengths, as many as fit into memory.

        Args:
            order: rows by their lengths.
            lengths: (N,) characters of each row.
        """
        while len(order) > 0:
            cells = np.arange(1, len(order) + 1) * (lengths[order].astype(np.int64) + 1) * self._trie.depth
            number = max(int(np.searchsorted(cells, CHUNK_CELLS, side="right")), 1)
            yield order[:number]
            order = order[number:]

    def _sample(self, texts: FlatRows, generator: np.random.Generator) -> FlatRows:
        """Pieces of texts of like lengths."""
        lengths = texts.sizes.astype(np.int64)
        number, longest, depth = len(texts), int(lengths.max()), self._trie.depth
        is_inside = np.arange(longest)[:, None] < lengths
        padded = np.full((longest, number), NONE)
        padded.T[is_inside.T] = texts.tokens
        ids = self._trie.pieces_by_end(padded)  # (longest + 1, depth, rows)
        # Of each end, weights of the lengths of its last piece, 1 to `depth` characters: what all segmentations of the
        # text before the piece weigh together (`before`, backwards from `depth` places ahead of the text, up to a
        # factor of the whole row) times the weight of the piece.
        shares = self._weights[ids]
        before = np.zeros((longest + 1 + depth, number))
        before[depth] = 1.0
        for end in range(1, longest + 1):
            seen = before[end : end + depth]
            shares[end] *= seen[::-1]
            before[end + depth] = shares[end].sum(axis=0)
            if end % RESCALED == 0:
                largest = before[end + 1 : end + 1 + depth].max(axis=0)
                before[end + 1 : end + 1 + depth] /= np.where(largest > 0, largest, 1.0)
        pieces = np.full((number, longest), NONE)  # each at the place where it begins
        ends, active = lengths.copy(), np.flatnonzero(lengths)
        for chance in generator.random((longest, number)):
            if len(active) == 0:
                break
            places = ends[active]
            sums = shares[places, :, active].cumsum(axis=1)
            chosen = (sums <= chance[active, None] * sums[:, -1:]).sum(axis=1)
            ends[active] = places - chosen - 1
            pieces[active, ends[active]] = ids[places, chosen, active]
            active = active[ends[active] > 0]
        is_piece = pieces != NONE
        return FlatRows(pieces[is_piece], is_piece.sum(axis=1))


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
            characters: (N, R), NONE behind the end of a row.

        Returns:
            (N + 1, depth, R) ids of the pieces of 1 to `depth` characters; NONE where there is no such piece.
        """
        longest, number = characters.shape
        found = np.full((longest + 1, self.depth, number), NONE)
        starts, rows = np.nonzero(characters != NONE)
        nodes = np.zeros(len(rows), dtype=np.int64)
        for length in range(1, self.depth + 1):
            is_inside = starts + length <= longest
            rows, starts, nodes = rows[is_inside], starts[is_inside], nodes[is_inside]
            following = characters[starts + length - 1, rows]
            keys = nodes * self._num_characters + following
            places = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
            goes_on = (following != NONE) & (self._keys[places] == keys)
            rows, starts, nodes = rows[goes_on], starts[goes_on], self._next[places[goes_on]]
            found[starts + length, length - 1, rows] = self._ids[nodes]
        return found


def _is_unigram(model: SentencePieceProcessor) -> bool:
    """Whether a model is of the kind that has segmentations beside the best one."""
    try:
        model.nbest_encode("a", nbest_size=2)
    except RuntimeError:
        return False
    return True
