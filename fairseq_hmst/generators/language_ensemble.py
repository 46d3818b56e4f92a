"""Beam search in the language that each example asks for, by fairseq's own search.

The language symbol is not searched: the ensemble, which fairseq's beam search asks for log-probabilities, gives the
symbol of the batch at no cost, or puts it where the decoder reads its first token. So n-best lists, length penalty,
ensembles and batching stay fairseq's.

Several searches may go on at once by one ensemble: what belongs to one search is in the `EncodedBatch` that fairseq
hands from step to step, never in the ensemble.
"""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import torch
from fairseq.sequence_generator import EnsembleModel
from torch import Tensor
from torch.nn import Module

from .checked_ensemble import CheckedEnsemble
from .hypothesis import EncoderOut, IncrementalStates
from .transducer.transducer_scorer import LabelLimit

if TYPE_CHECKING:
    from .ctc.ctc_prefix import CTCPrefixScorer, CTCPrefixState


class AttentionScorable(Protocol):
    """A model that fairseq's beam search can decode."""

    encoder: Module
    decoder: Module


class ForcedSymbols(Protocol):
    """The language symbols of a data-bin, as far as a search reads them."""

    @property
    def eos_index(self) -> int:
        """Id of end of sentence."""
        ...

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


class EncodedBatch(list[EncoderOut]):
    """Encoder outputs of a batch, one a model, and the state of its search.

    Attributes:
        symbols: (N,) language symbol of each hypothesis; None without symbols.
        output_ids: ids of the output dictionary that are no text.
        limits: (N,) most labels of each hypothesis; None where fairseq's own limit does.
        forced: (N, L) labels that fairseq's search forces, end of sentence where it forces none; None: nowhere.
        scorer: of CTC prefixes, in joint decoding.
        prefixes: the hypotheses as `scorer` sees them.
    """

    def __init__(self, encoder_outs: Iterable[EncoderOut]) -> None:
        super().__init__(encoder_outs)
        self.symbols: Tensor | None = None
        self.output_ids: Tensor | None = None
        self.limits: Tensor | None = None
        self.forced: Tensor | None = None
        self.scorer: CTCPrefixScorer | None = None
        self.prefixes: CTCPrefixState | None = None

    def reordered(self, encoder_outs: Iterable[EncoderOut], new_order: Tensor) -> "EncodedBatch":
        """Hypotheses new_order[0], new_order[1], ... with their encoder outputs."""
        batch = EncodedBatch(encoder_outs)
        batch.output_ids, batch.scorer = self.output_ids, self.scorer
        for name in ("symbols", "limits", "forced"):
            rows = getattr(self, name)
            setattr(batch, name, None if rows is None else rows.index_select(0, new_order))
        batch.prefixes = None if self.prefixes is None else self.prefixes.reorder(new_order)
        return batch


class LanguageEnsemble(CheckedEnsemble, EnsembleModel):
    """An ensemble that starts every hypothesis with the symbol in net_input["prev_output_tokens"], and writes no other.

    With the form first_output the symbol is the first token of every hypothesis, with score 0; with first_input it
    takes the place of the end of sentence that fairseq starts from, and is no part of a hypothesis. Without symbols
    this is fairseq's ensemble.

    Args:
        models: models with an attention decoder.
        language_symbols: of the data-bin.
        label_limit: bounds the labels of each hypothesis by the length of its own source; None: fairseq's own limit,
            by the longest source of the batch, does.
    """

    def __init__(
        self,
        models: Sequence[AttentionScorable],
        language_symbols: ForcedSymbols,
        label_limit: LabelLimit | None = None,
    ) -> None:
        super().__init__(models)
        self.language_symbols = language_symbols
        self.label_limit = label_limit

    @property
    def num_forced_outputs(self) -> int:
        """Number of symbols that every hypothesis begins with."""
        return 1 if self.language_symbols.target_form == "first_output" else 0

    def forward_encoder(self, net_input: dict[str, Tensor]) -> EncodedBatch:
        """Encode the batch, and note the symbol of each utterance and what its search forces.

        Raises:
            ValueError: the batch does not say its languages.
        """
        source = {name: tensor for name, tensor in net_input.items() if name != "prefix_tokens"}
        batch = EncodedBatch(super().forward_encoder(source))
        batch.forced = net_input.get("prefix_tokens")
        if self.language_symbols.target_form is not None:
            starts = net_input.get("prev_output_tokens")
            if starts is None:
                raise ValueError(
                    "the batch has no net_input['prev_output_tokens'], which name the target language; "
                    "make batches by the task's datasets and decode them by its inference_step"
                )
            batch.symbols = starts[:, self.language_symbols.num_start_tokens - 1]
            batch.output_ids = torch.tensor(sorted(self.language_symbols.output_ids), device=starts.device)
        if self.label_limit is not None:
            batch.limits = self.label_limit.total(net_input["src_lengths"])
            if batch.forced is not None:
                is_label = batch.forced != self.language_symbols.eos_index
                batch.limits = batch.limits.maximum(is_label.sum(1))
        return batch

    def forward_decoder(
        self,
        tokens: Tensor,
        encoder_outs: EncodedBatch,
        incremental_states: IncrementalStates,
        temperature: float = 1.0,
    ) -> tuple[Tensor, Tensor | None]:
        """Log-probabilities (N, V) of the next token after `tokens` (N, steps + 1), and attention.

        Symbols have -inf, but for the forced one; so has all but end of sentence beyond the limit of length.
        """
        form, symbols = self.language_symbols.target_form, encoder_outs.symbols
        if form == "first_input" and symbols is not None:
            tokens = torch.cat([symbols.unsqueeze(1), tokens[:, 1:]], 1)
        log_probs, attention = super().forward_decoder(tokens, encoder_outs, incremental_states, temperature)
        self.look_at(log_probs)
        if form == "first_output" and symbols is not None and tokens.size(1) == 1:
            log_probs = torch.full_like(log_probs, -math.inf).scatter(1, symbols.unsqueeze(1), 0.0)
        elif encoder_outs.output_ids is not None:
            log_probs.index_fill_(1, encoder_outs.output_ids, -math.inf)
        if encoder_outs.limits is not None:
            is_full = tokens.size(1) - self.language_symbols.num_start_tokens >= encoder_outs.limits
            is_label = torch.arange(log_probs.size(1), device=log_probs.device) != self.language_symbols.eos_index
            log_probs.masked_fill_(is_full.unsqueeze(1) & is_label, -math.inf)
        return log_probs, attention

    def reorder_encoder_out(self, encoder_outs: EncodedBatch, new_order: Tensor) -> EncodedBatch:
        """Follow the beam: hypotheses new_order[0], new_order[1], ... go on."""
        return encoder_outs.reordered(super().reorder_encoder_out(encoder_outs, new_order), new_order)
