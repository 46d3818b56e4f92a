"""fairseq's beam search with an error where a model gives NaN; fairseq takes it for probability zero.

Each step notes on the device whether its scores are finite; the host asks once, at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairseq.sequence_generator import EnsembleModelWithAlignment, SequenceGeneratorWithAlignment

from .begun_search import BegunSearch
from .checked_ensemble import CheckedEnsemble, scores_of_search
from .finite_scores import FiniteScores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairseq.data import Dictionary
    from torch import Tensor
    from torch.nn import Module

    from ..data.batch import Batch
    from .hypothesis import EncoderOut, GeneratedHypothesis, IncrementalStates


class CheckedSearch(BegunSearch):
    """fairseq's search with a `CheckedEnsemble`."""

    def generate(
        self, models: Sequence[Module], sample: Batch, prefix_tokens: Tensor | None = None, **kwargs: object
    ) -> list[list[GeneratedHypothesis]]:
        """Hypotheses of a batch, see `BegunSearch`.

        Raises:
            NotFiniteError: a probability is NaN or infinite.
        """
        finite_scores = FiniteScores()
        token = scores_of_search.set(finite_scores)
        try:
            results = super().generate(models, sample, prefix_tokens, **kwargs)
        finally:
            scores_of_search.reset(token)
        finite_scores.check()
        return results


class CheckedAlignment(CheckedSearch, SequenceGeneratorWithAlignment):
    """fairseq's search for --print-alignment, likewise; it makes an ensemble of its own."""

    def __init__(self, models: Sequence[Module], tgt_dict: Dictionary, **options: object) -> None:
        super().__init__(models, tgt_dict, **options)
        self.model = _AligningEnsemble(models).eval()


class _AligningEnsemble(CheckedEnsemble, EnsembleModelWithAlignment):
    def forward_decoder(
        self,
        tokens: Tensor,
        encoder_outs: list[EncoderOut],
        incremental_states: IncrementalStates,
        temperature: float = 1.0,
    ) -> tuple[Tensor, Tensor | None]:
        log_probs, attention = super().forward_decoder(tokens, encoder_outs, incremental_states, temperature)
        self.look_at(log_probs)
        return log_probs, attention
