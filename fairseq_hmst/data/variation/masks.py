"""Masked inputs: spans of units or of text that the encoder does not see, SpecAugment for sequences of tokens.

Park et al. 2019 (arXiv:1904.08779) mask spans of time in spectrograms.
"""

from dataclasses import dataclass

import numpy as np
import torch
from fairseq.data import Dictionary
from torch import Tensor

MASK_SYMBOL = "<mask>"  # of text models that have one
FORMS = ("replace", "drop")


@dataclass(frozen=True)
class Masks:
    """Masks of the inputs of one kind, speech or text.

    Attributes:
        share: of the tokens that are masked, on average; above 0, and at most span / (span + 1), as a seen token lies
            between two stretches.
        span: mean length of a masked stretch, in tokens of speech, or of text before it is repeated; 1 or more.
        form: `replace` by the mask symbol, or `drop`.
        symbol: id of the mask symbol.
    """

    share: float
    span: float
    form: str
    symbol: int

    def draw(self, number: int, generator: np.random.Generator) -> np.ndarray:
        """Whether each of `number` tokens is masked, (number,).

        Masked and seen stretches take turns, their lengths geometric with means `span` and
        `span` (1 - share) / share; where a row begins is drawn so that each token is masked with probability `share`.
        """
        seen = max(self.span * (1 - self.share) / self.share, 1.0)
        begins_masked = generator.random() < self.share
        ends = (1 / self.span, 1 / seen) if begins_masked else (1 / seen, 1 / self.span)
        num_pairs = int(number / (self.span + seen)) + 8  # of a masked and a seen stretch; mostly these are enough
        found = np.zeros(0, dtype=bool)
        while len(found) < number:
            lengths = np.stack([generator.geometric(end, num_pairs) for end in ends], axis=1).clip(max=number)
            is_masked = np.array([begins_masked, not begins_masked] * num_pairs)
            found = np.concatenate([found, is_masked.repeat(lengths.ravel())])
        return found[:number]

    def apply(
        self,
        source: Tensor,
        edges: tuple[int, int],
        counts: np.ndarray | None,
        steps: int,
        generator: np.random.Generator,
    ) -> Tensor:
        """A source of which some tokens are masked, all repetitions of a token together.

        Args:
            source: (T,) tokens.
            edges: numbers of tokens before and after the text, which are never masked.
            counts: repetitions of each token of the text; None: once each.
            steps: that must be left where tokens are dropped, for CTC to have a path; so many are, if there were.
            generator: of the draws.
        """
        before, after = edges
        number = len(source) - before - after if counts is None else len(counts)
        groups = self.draw(number, generator)
        if self.form == "replace":
            is_masked = torch.from_numpy(_spread(groups, counts, edges))
            return source.masked_fill(is_masked, self.symbol)
        lengths = np.ones(number, dtype=np.int64) if counts is None else counts
        left = len(source) - int(lengths[groups].sum())
        for place in generator.permutation(np.flatnonzero(groups)):
            if left >= max(steps, before + after + 1):
                break
            groups[place] = False
            left += int(lengths[place])
        return source[torch.from_numpy(~_spread(groups, counts, edges))]


def mask_symbol(dictionary: Dictionary) -> int:
    """Id of the mask: <mask> where the input dictionary has it, else fairseq's <s>, which no source contains."""
    return dictionary.index(MASK_SYMBOL) if MASK_SYMBOL in dictionary else dictionary.bos()


def _spread(groups: np.ndarray, counts: np.ndarray | None, edges: tuple[int, int]) -> np.ndarray:
    """Values of the tokens of a source, (T,), from those of a text's tokens; False at the edges."""
    before, after = edges
    of_text = groups if counts is None else np.repeat(groups, counts)
    return np.concatenate([np.zeros(before, dtype=bool), of_text, np.zeros(after, dtype=bool)])
