"""Scores of references by an attention decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fairseq.sequence_scorer import SequenceScorer

from ..hypothesis import GeneratedHypothesis
from .targets import targets_of

if TYPE_CHECKING:
    from fairseq.data import Dictionary

    from ...data.batch import Batch
    from ..language_ensemble import AttentionScorable, ForcedSymbols


class AttentionScorer(SequenceScorer):
    """fairseq's scorer of references; a language symbol costs nothing, and scores are those of the beam search.

    Args:
        tgt_dict: the output dictionary.
        language_symbols: of the data-bin.
        length_penalty: a score is the log-probability over (tokens, </s> included) ** length_penalty.
    """

    options: object = None  # of fairseq, as the task was given them

    def __init__(self, tgt_dict: Dictionary, language_symbols: ForcedSymbols, length_penalty: float) -> None:
        super().__init__(tgt_dict, symbols_to_strip_from_output=set(language_symbols.output_ids))
        self._num_symbols = 1 if language_symbols.target_form == "first_output" else 0
        self._length_penalty = length_penalty

    def generate(
        self, models: Sequence[AttentionScorable], sample: Batch, **kwargs: object
    ) -> list[list[GeneratedHypothesis]]:
        """The reference of each utterance with its score.

        Raises:
            OptionError: the batch has no references.
        """
        starts = [self._num_symbols] * len(targets_of(sample))
        results = super().generate(models, {**sample, "start_indices": starts}, **kwargs)
        for (reference,) in results:
            reference["score"] = reference["positional_scores"].sum() / len(reference["tokens"]) ** self._length_penalty
        return results
