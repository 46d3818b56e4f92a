"""Translation by a transducer, behind fairseq's generator interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .ctc_search import ScoredLabels
from .hypothesis import Hypothesis, make_hypothesis
from .transducer_beam import transducer_beam_search
from .transducer_greedy import LabelLimit, transducer_greedy
from .transducer_scorer import TransducerModel, TransducerScorer

if TYPE_CHECKING:
    from fairseq.data import Dictionary


class TransducerGenerator:
    """Decodes a batch by a transducer: greedily with beam 1, by alignment-length synchronous beam search with another.

    Args:
        tgt_dict: the output dictionary, whose pad, bos and eos are no labels and never come out.
        beam_size: hypotheses kept in each round, and so the most that an utterance can have.
        length_penalty: fairseq's --lenpen; a score is the log-probability over (labels + 1) ** length_penalty, and the
            `beam_size` likeliest hypotheses are ranked by it. 0 ranks by the log-probability.
        label_limit: bounds the labels of a hypothesis.
    """

    def __init__(
        self,
        tgt_dict: Dictionary,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        label_limit: LabelLimit | None = None,
    ) -> None:
        if beam_size < 1:
            raise ValueError(f"beam must be at least 1, got {beam_size}")
        self.eos = tgt_dict.eos()  # fairseq-generate strips it from its output
        self._not_labels = {tgt_dict.pad(), tgt_dict.bos(), tgt_dict.eos()}
        self._beam_size = beam_size
        self._length_penalty = length_penalty
        self._label_limit = label_limit or LabelLimit()

    @torch.no_grad()
    def generate(
        self,
        models: Sequence[TransducerModel],
        sample: dict[str, Any],
        prefix_tokens: Tensor | None = None,
        constraints: Tensor | None = None,
        bos_token: int | None = None,
    ) -> list[list[Hypothesis]]:
        """Hypotheses of each utterance of the batch, best first; at least one and at most `beam_size` each.

        Args:
            models: one model, or several whose probabilities are averaged symbol by symbol.
            sample: fairseq's batch; net_input.src_tokens and net_input.src_lengths are read.

        Raises:
            ValueError: prefix_tokens, constraints or bos_token are given, which this search cannot follow; or the
                models disagree about the blank or the number of encoder steps.
        """
        for name, value in (("prefix", prefix_tokens), ("constraints", constraints), ("bos", bos_token)):
            if value is not None:
                raise ValueError(
                    f"decoding by a transducer cannot follow forced target tokens ({name}); decode by attention"
                )
        scorer = TransducerScorer(models, sample["net_input"], self._not_labels)
        return [self._rank(results) for results in self._search(scorer)]

    def _search(self, scorer: TransducerScorer) -> list[list[ScoredLabels]]:
        if self._beam_size == 1:
            return [[result] for result in transducer_greedy(scorer, self._label_limit)]
        return transducer_beam_search(scorer, self._label_limit, self._beam_size)

    def _rank(self, results: list[ScoredLabels]) -> list[Hypothesis]:
        hypotheses = [
            make_hypothesis(result.labels, result.log_prob, self.eos, self._length_penalty) for result in results
        ]
        return sorted(hypotheses, key=lambda hypothesis: float(hypothesis["score"]), reverse=True)
