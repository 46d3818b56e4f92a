"""No n-gram twice in a hypothesis (--no-repeat-ngram-size), by fairseq's own interface."""

import math

from fairseq.ngram_repeat_block import NGramRepeatBlock
from torch import Tensor


class NgramBlocker(NGramRepeatBlock):
    """Makes tokens impossible that would end an n-gram which a hypothesis has already.

    fairseq's compares the end of its buffer, which is padding until the last step, and so blocks nothing without its
    CUDA extension.
    """

    def __init__(self, no_repeat_ngram_size: int) -> None:
        super().__init__(no_repeat_ngram_size, use_extension=False)

    def forward(self, tokens: Tensor, lprobs: Tensor, bsz: int, beam_size: int, step: int) -> Tensor:
        """Scores (N, V) of the next token, changed in place.

        Args:
            tokens: (N, L) start, the `step` tokens of each hypothesis, and anything.
            lprobs: (N, V) scores.
            bsz, beam_size: their product is N.
            step: tokens that each hypothesis has.
        """
        size = self.no_repeat_ngram_size
        if step < size:
            return lprobs
        ngrams = tokens[:, 1 : step + 1].unfold(1, size, 1)  # (N, n-grams, size)
        is_repeat = (ngrams[:, :, :-1] == tokens[:, None, step + 2 - size : step + 1]).all(2)
        costs = lprobs.new_zeros(is_repeat.shape).masked_fill_(is_repeat, -math.inf)
        return lprobs.scatter_add_(1, ngrams[:, :, -1], costs)
