"""Base of searches over whole label sequences (CTC, transducer), behind fairseq's generator interface."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, Generic, TypeVar

import torch
from torch import Tensor

from .beginnings import Beginnings, read_beginnings
from .hypothesis import GeneratedHypothesis, ScoredLabels, make_hypothesis
from .references.targets import targets_of

if TYPE_CHECKING:
    from fairseq.data import Dictionary

    from ..data.batch import Batch, NetInput

Model = TypeVar("Model")


class LabelGenerator(Generic[Model]):
    """Ranks the label sequences that a subclass finds in `_search`.

    Args:
        tgt_dict: the output dictionary, whose pad, bos and eos are no labels and never come out.
        beam_size: hypotheses kept, and so the most an utterance can have.
        length_penalty: fairseq's --lenpen; a score is the log-probability over (labels + 1) ** length_penalty, and the
            hypotheses that the search leaves are ranked by it. 0 ranks by the log-probability.
        symbol_ids: ids that are no text, such as language symbols; they never come out either.
        temperature: that logits are divided by, above 0.
        scores_references: give the reference of each utterance and its score, and search nothing.
    """

    name = ""  # of the decoding, for errors
    options: object = None  # of fairseq, as the task was given them

    def __init__(
        self,
        tgt_dict: Dictionary,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        symbol_ids: Set[int] = frozenset(),
        *,
        temperature: float = 1.0,
        scores_references: bool = False,
    ) -> None:
        if beam_size < 1:
            raise ValueError(f"beam must be at least 1, got {beam_size}")
        # fairseq-generate strips them from its output, references included
        self.symbols_to_strip_from_output = {tgt_dict.eos(), *symbol_ids}
        self._eos = tgt_dict.eos()
        self._not_labels = {tgt_dict.pad(), tgt_dict.bos(), tgt_dict.eos(), *symbol_ids}
        self._beam_size = beam_size
        self._length_penalty = length_penalty
        self._temperature = temperature
        self._scores_references = scores_references

    @torch.no_grad()
    def generate(
        self,
        models: Sequence[Model],
        sample: Batch,
        prefix_tokens: Tensor | None = None,
        constraints: Tensor | None = None,
        bos_token: int | None = None,
    ) -> list[list[GeneratedHypothesis]]:
        """Hypotheses of each utterance of the batch, best first; at least one and at most `beam_size` each.

        Args:
            models: one model, or several whose probabilities are averaged.
            sample: fairseq's batch; net_input.src_tokens and net_input.src_lengths are read, and the target where
                references are scored.
            prefix_tokens: (B, P) beginnings, see `beginnings`; not read where references are scored.

        Raises:
            OptionError: references are to be scored, and there are none.
            ValueError: constraints or bos_token are given, which the search cannot follow; or the models disagree about
                the blank or the number of frames.
        """
        for name, value in (("constraints", constraints), ("bos", bos_token)):
            if value is not None:
                raise ValueError(
                    f"decoding by {self.name} cannot follow forced target tokens ({name}); decode by attention"
                )
        net_input = sample["net_input"]
        if self._scores_references:
            references = [
                [label for label in row if label not in self._not_labels] for row in targets_of(sample).tolist()
            ]
            scores = self._score(models, net_input, references)
            return [self._rank([ScoredLabels(*scored)]) for scored in zip(references, scores, strict=True)]
        beginnings = None if prefix_tokens is None else self._beginnings(prefix_tokens, net_input["src_tokens"].device)
        return [self._rank(results) for results in self._search(models, net_input, beginnings)]

    def _beginnings(self, prefix_tokens: Tensor, device: torch.device) -> Beginnings | None:
        rows = read_beginnings(prefix_tokens, self._not_labels, self._eos)
        return Beginnings(rows, device) if any(row.labels or row.is_whole for row in rows) else None

    def _search(
        self, models: Sequence[Model], net_input: NetInput, beginnings: Beginnings | None
    ) -> list[list[ScoredLabels]]:
        """Label sequences of each utterance with their log-probabilities; they have its beginning."""
        raise NotImplementedError

    def _score(self, models: Sequence[Model], net_input: NetInput, references: Sequence[Sequence[int]]) -> list[float]:
        """Log-probabilities of one label sequence for each utterance."""
        raise NotImplementedError

    def _rank(self, results: list[ScoredLabels]) -> list[GeneratedHypothesis]:
        hypotheses = [
            make_hypothesis(result.labels, result.log_prob, self._eos, self._length_penalty) for result in results
        ]
        return sorted(hypotheses, key=lambda hypothesis: float(hypothesis["score"]), reverse=True)
