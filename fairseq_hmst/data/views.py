"""Two views of one example: inputs of the same units or text, cut in two ways."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class SecondView:
    """The input of an example that is compared with its own.

    Attributes:
        source: (T',) tokens.
        shared_steps: (N, 2) int64: the tokens of both inputs that have a part of the units or of the text in common,
            from the first part to the last one.
    """

    source: Tensor
    shared_steps: np.ndarray


@dataclass(frozen=True)
class PieceLengths:
    """Lengths of tokens in units or characters. All cuts of a row have the same sum.

    Attributes:
        characters: (V,) int64 of each id of the input dictionary.
        repeat: times that text has each token on average.
    """

    characters: np.ndarray
    repeat: int

    def of_source(self, source: Tensor, edges: tuple[int, int], counts: np.ndarray | None) -> np.ndarray:
        """Lengths of the tokens (T,) of a source that is not masked.

        Args:
            source: (T,) tokens.
            edges: numbers of tokens before and after the text, each of length 1.
            counts: repetitions of each token of the text, which share its length; None: speech.
        """
        before, after = edges
        tokens = source[before : len(source) - after].numpy()
        if counts is None:
            return np.pad(self.characters[tokens], edges, constant_values=1)
        first = np.cumsum(counts) - counts
        lengths = np.repeat(self.characters[tokens[first]] * self.repeat, counts)
        shares, places = np.repeat(counts, counts), np.arange(len(tokens)) - np.repeat(first, counts)
        ends, starts = (places + 1) * lengths // shares, places * lengths // shares
        return np.pad(ends - starts, edges, constant_values=1)


def shared_steps(lengths: np.ndarray, other_lengths: np.ndarray) -> np.ndarray:
    """Pairs of tokens of two rows that overlap, (N, 2), in order; of rows with the same tokens (0, 0), (1, 1), ...

    Args:
        lengths: (T,) of one row's tokens.
        other_lengths: (T',) of the other's, of the same sum.
    """
    ends, other_ends = np.cumsum(lengths), np.cumsum(other_lengths)
    boundaries = np.union1d(ends, other_ends)
    boundaries = boundaries[boundaries > 0]
    return np.stack([np.searchsorted(ends, boundaries), np.searchsorted(other_ends, boundaries)], axis=1)
