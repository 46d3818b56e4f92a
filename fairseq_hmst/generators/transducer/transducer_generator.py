"""Translation by a transducer, behind fairseq's generator interface."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING

from ..hypothesis import ScoredLabels
from ..label_generator import LabelGenerator
from ..references.transducer_likelihoods import transducer_log_likelihoods
from .transducer_beam import transducer_beam_search
from .transducer_greedy import transducer_greedy
from .transducer_scorer import LabelLimit, TransducerScorable, TransducerScorer

if TYPE_CHECKING:
    from fairseq.data import Dictionary

    from ...data.batch import NetInput
    from ..beginnings import Beginnings


class TransducerGenerator(LabelGenerator[TransducerScorable]):
    """Decodes a batch by a transducer: greedily with beam 1, by alignment-length synchronous beam search with another.

    With a beginning, the beam search is that of beam 1 as well.

    Args:
        tgt_dict, beam_size, length_penalty, symbol_ids: see LabelGenerator.
        label_limit: bounds the labels of a hypothesis.
        unk_penalty: fairseq's --unkpen, taken off the log-probability of each unknown word.
        temperature, scores_references: see LabelGenerator.
    """

    name = "a transducer"

    def __init__(
        self,
        tgt_dict: Dictionary,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        label_limit: LabelLimit | None = None,
        symbol_ids: Set[int] = frozenset(),
        *,
        unk_penalty: float = 0.0,
        temperature: float = 1.0,
        scores_references: bool = False,
    ) -> None:
        super().__init__(
            tgt_dict,
            beam_size,
            length_penalty,
            symbol_ids,
            temperature=temperature,
            scores_references=scores_references,
        )
        self.label_limit = label_limit or LabelLimit()
        self._penalties = {tgt_dict.unk(): unk_penalty} if unk_penalty else {}

    def _search(
        self, models: Sequence[TransducerScorable], net_input: NetInput, beginnings: Beginnings | None
    ) -> list[list[ScoredLabels]]:
        scorer = self._scorer(models, net_input)
        if self._beam_size == 1 and beginnings is None:
            return [[result] for result in transducer_greedy(scorer, self.label_limit)]
        return transducer_beam_search(scorer, self.label_limit, self._beam_size, beginnings)

    def _score(
        self, models: Sequence[TransducerScorable], net_input: NetInput, references: Sequence[Sequence[int]]
    ) -> list[float]:
        return transducer_log_likelihoods(self._scorer(models, net_input), references)

    def _scorer(self, models: Sequence[TransducerScorable], net_input: NetInput) -> TransducerScorer:
        return TransducerScorer(models, net_input, self._not_labels, self._temperature, self._penalties)
