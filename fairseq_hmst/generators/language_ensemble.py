"""Beam search in the language that each example asks for, by fairseq's own search.

The language symbol is not searched: the ensemble, which fairseq's beam search asks for log-probabilities, gives the
symbol of the batch at no cost, or puts it where the decoder reads its first token. So n-best lists, length penalty,
ensembles and batching stay fairseq's.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from fairseq.sequence_generator import EnsembleModel, EnsembleModelWithAlignment, SequenceGenerator
from torch import Tensor
from torch.nn import Module

from .finite_scores import check_log_probs
from .hypothesis import EncoderOut

IncrementalStates = list[dict[str, dict[str, Tensor | None]]]  # of fairseq, one a model


class AttentionScorable(Protocol):
    """A model that fairseq's beam search can decode."""

    encoder: Module
    decoder: Module


class ForcedSymbols(Protocol):
    """The language symbols of a data-bin, as far as a search reads them."""

    @property
    def target_form(self) -> str | None:
        """`first_output`, `first_input`, or None without symbols."""
        ...

    @property
    def num_start_tokens(self) -> int:
        """Number of tokens that the decoder reads before a translation."""
        ...

    @property
    def output_ids(self) -> frozenset[int]:
        """Ids of the output dictionary that are no text."""
        ...


class LanguageEnsemble(EnsembleModel):
    """An ensemble that starts every hypothesis with the symbol in net_input["prev_output_tokens"], and writes no other.

    With the form first_output the symbol is the first token of every hypothesis, with score 0; with first_input it
    takes the place of the end of sentence that fairseq starts from, and is no part of a hypothesis. Without symbols
    this is fairseq's ensemble.

    Args:
        models: models with an attention decoder.
        language_symbols: of the data-bin.
        beam_size: of the search.
    """

    def __init__(self, models: Sequence[AttentionScorable], language_symbols: ForcedSymbols, beam_size: int) -> None:
        super().__init__(models)
        self.language_symbols = language_symbols
        self.beam_size = beam_size

    def forward_encoder(self, net_input: dict[str, Tensor]) -> list[dict[str, list[Tensor]]]:
        """Encode the batch, and note the symbol of each of its `beam_size` hypotheses an utterance.

        Raises:
            ValueError: the batch does not say its languages.
        """
        if self.language_symbols.target_form is not None:
            starts = net_input.get("prev_output_tokens")
            if starts is None:
                raise ValueError(
                    "the batch has no net_input['prev_output_tokens'], which name the target language; "
                    "make batches by the task's datasets and decode them by its inference_step"
                )
            symbols = starts[:, self.language_symbols.num_start_tokens - 1]
            self._symbols = symbols.repeat_interleave(self.beam_size)
            self._output_ids = torch.tensor(sorted(self.language_symbols.output_ids), device=symbols.device)
        return super().forward_encoder(net_input)

    def forward_decoder(
        self,
        tokens: Tensor,
        encoder_outs: list[EncoderOut],
        incremental_states: IncrementalStates,
        temperature: float = 1.0,
    ) -> tuple[Tensor, Tensor | None]:
        """Log-probabilities (N, V) of the next token after `tokens` (N, steps + 1), and attention.

        Symbols have -inf, but for the forced one.

        Raises:
            NotFiniteError: one is NaN or infinite; fairseq's search would take it for -inf.
        """
        form = self.language_symbols.target_form
        if form == "first_input":
            tokens = torch.cat([self._symbols.unsqueeze(1), tokens[:, 1:]], 1)
        log_probs, attention = super().forward_decoder(tokens, encoder_outs, incremental_states, temperature)
        check_log_probs(log_probs)
        if form == "first_output" and tokens.size(1) == 1:
            log_probs = torch.full_like(log_probs, -math.inf).scatter(1, self._symbols.unsqueeze(1), 0.0)
        elif form is not None:
            log_probs.index_fill_(1, self._output_ids, -math.inf)
        return log_probs, attention

    def reorder_incremental_state(self, incremental_states: IncrementalStates, new_order: Tensor) -> None:
        """Follow the beam: hypotheses new_order[0], new_order[1], ... go on."""
        super().reorder_incremental_state(incremental_states, new_order)
        if self.language_symbols.target_form is not None:
            self._symbols = self._symbols.index_select(0, new_order)


def align_finite(generator: SequenceGenerator, models: Sequence[AttentionScorable]) -> SequenceGenerator:
    """fairseq's search for --print-alignment, its scores checked; it makes an ensemble of its own."""
    generator.model = _AligningEnsemble(models).eval()
    return generator


class _AligningEnsemble(EnsembleModelWithAlignment):
    def forward_decoder(
        self,
        tokens: Tensor,
        encoder_outs: list[EncoderOut],
        incremental_states: IncrementalStates,
        temperature: float = 1.0,
    ) -> tuple[Tensor, Tensor | None]:
        log_probs, attention = super().forward_decoder(tokens, encoder_outs, incremental_states, temperature)
        check_log_probs(log_probs)
        return log_probs, attention
