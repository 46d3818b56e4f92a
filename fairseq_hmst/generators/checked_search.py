"""fairseq's beam search with an error where a model gives NaN; fairseq takes it for probability zero.

Each step notes on the device whether its scores are finite; the host asks once, at the end.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from fairseq.sequence_generator import EnsembleModelWithAlignment, SequenceGenerator, SequenceGeneratorWithAlignment

from .finite_scores import FiniteScores, check_log_probs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairseq.data import Dictionary
    from torch import Tensor
    from torch.nn import Module

    from ..data.batch import Batch
    from .hypothesis import EncoderOut, GeneratedHypothesis, IncrementalStates


# Of the search that goes on in a thread; None outside of a CheckedSearch
_finite_scores: ContextVar[FiniteScores | None] = ContextVar("finite_scores", default=None)


class CheckedEnsemble:
    """The part of an ensemble that looks at its scores."""

    def look_at(self, log_probs: Tensor) -> None:
        """Note log-probabilities (N, V); rows that are not finite become 0, with which any search can go on.

        Raises:
            NotFiniteError: one is NaN or infinite, and no `CheckedSearch` would tell.
        """
        finite_scores = _finite_scores.get()
        if finite_scores is None:
            check_log_probs(log_probs)
        else:
            log_probs.masked_fill_(~finite_scores.note(log_probs).unsqueeze(1), 0.0)


class CheckedSearch(SequenceGenerator):
    """fairseq's search with a `CheckedEnsemble`."""

    def generate(self, models: Sequence[Module], sample: Batch, **kwargs: object) -> list[list[GeneratedHypothesis]]:
        """Hypotheses of a batch.

        Raises:
            NotFiniteError: a probability is NaN or infinite.
        """
        finite_scores = FiniteScores()
        token = _finite_scores.set(finite_scores)
        try:
            results = super().generate(models, sample, **kwargs)
        finally:
            _finite_scores.reset(token)
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
