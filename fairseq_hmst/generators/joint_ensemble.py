"""Joint CTC/attention decoding: fairseq's own beam search over scores that mix both heads.

Watanabe et al. 2017, "Hybrid CTC/Attention Architecture for End-to-End Speech Recognition", section IV. The mixed score
of one more token is all that differs from attention alone, so it is put where fairseq's beam search asks its ensemble
for log-probabilities; n-best, length penalty, ensembles, language model and batching stay fairseq's.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from preprocess.errors import OptionError

from .ctc.ctc_generator import CTCScorable, mean_ctc_log_probs
from .ctc.ctc_prefix import CTCPrefixScorer, CTCPrefixState
from .hypothesis import IncrementalStates
from .language_ensemble import AttentionScorable, EncodedBatch, ForcedSymbols, LanguageEnsemble
from .transducer.transducer_scorer import LabelLimit

# Stands for log 0 in CTC scores: fairseq must be able to end a hypothesis that is impossible to CTC
LOG_ZERO = -1e4
# Candidates scored at once are bounded so that (hypotheses, candidates, frames) stays below this
MAX_ELEMENTS = 20_000_000


class JointScorable(AttentionScorable, CTCScorable, Protocol):
    """A model with an attention decoder and a CTC head on the translation."""


class JointEnsemble(LanguageEnsemble):
    """An ensemble of mixed next-token scores: (1 - w) * attention + w * CTC prefix score.

    A language symbol costs nothing, and CTC never sees it.

    Args:
        models: models with an attention decoder and a CTC head on the translation.
        language_symbols: of the data-bin.
        ctc_weight: w in [0, 1]; 0 is fairseq's beam search to the bit, 1 leaves CTC scores alone.
        beam_size: of the search; the 2 * beam_size best next tokens of a hypothesis by attention are scored by CTC
            (fairseq keeps no more than that of all hypotheses together), all tokens where w is 1.
        eos_index: end of sentence.
        temperature: that the logits of CTC are divided by, as fairseq divides those of attention.
        unk_index: the unknown word, where it must be scored like end of sentence, however unlikely to attention.
        label_limit: see LanguageEnsemble.

    Raises:
        ValueError: ctc_weight lies outside [0, 1].
    """

    def __init__(
        self,
        models: Sequence[JointScorable],
        language_symbols: ForcedSymbols,
        ctc_weight: float,
        beam_size: int,
        eos_index: int,
        temperature: float = 1.0,
        unk_index: int | None = None,
        label_limit: LabelLimit | None = None,
    ) -> None:
        super().__init__(models, language_symbols, label_limit)
        if not 0 <= ctc_weight <= 1:
            raise OptionError("ctc_decode_weight", f"must lie in [0, 1], got {ctc_weight}")
        self.ctc_weight = ctc_weight
        self.beam_size = beam_size
        self.eos_index = eos_index
        self.temperature = temperature
        self._always_scored = [eos_index] if unk_index is None else [eos_index, unk_index]

    def forward_encoder(self, net_input: dict[str, Tensor]) -> EncodedBatch:
        """Encode the batch, and start CTC scoring of an empty hypothesis an utterance."""
        batch = super().forward_encoder(net_input)
        if self.ctc_weight > 0:
            log_probs, source_lengths = mean_ctc_log_probs(list(self.models), batch, self.temperature)
            blank_index = self.single_model.ctc_blank_index
            batch.scorer = CTCPrefixScorer(log_probs, source_lengths, blank_index, self.eos_index)
            batch.prefixes = batch.scorer.initial_state(1)
        return batch

    def forward_decoder(
        self,
        tokens: Tensor,
        encoder_outs: EncodedBatch,
        incremental_states: IncrementalStates,
        temperature: float = 1.0,
    ) -> tuple[Tensor, Tensor | None]:
        """Scores (N, V) of the next token after `tokens` (N, steps + 1), and attention."""
        log_probs, attention = super().forward_decoder(tokens, encoder_outs, incremental_states, temperature)
        num_labels = tokens.size(1) - self.language_symbols.num_start_tokens
        scorer, prefixes = encoder_outs.scorer, encoder_outs.prefixes
        if scorer is None or prefixes is None or num_labels < 0:
            return log_probs, attention
        if num_labels > 0:
            # a copy: fairseq reorders `tokens` in place while the state still refers to its last labels
            encoder_outs.prefixes = prefixes = scorer.extend(prefixes, tokens[:, -1].clone())
        candidates = self._candidates(log_probs, encoder_outs.forced, tokens.size(1) - 1)
        ctc_scores = _score(scorer, prefixes, candidates).clamp(min=LOG_ZERO)
        ctc_scores -= prefixes.prefix_scores.clamp(min=LOG_ZERO)[:, None]
        attention_scores = log_probs.gather(1, candidates)
        mixed = (1 - self.ctc_weight) * attention_scores + self.ctc_weight * ctc_scores.to(log_probs)
        mixed.masked_fill_(attention_scores == -math.inf, -math.inf)  # 0 * -inf is NaN
        return torch.full_like(log_probs, -math.inf).scatter(1, candidates, mixed), attention

    def _candidates(self, log_probs: Tensor, forced: Tensor | None, step: int) -> Tensor:
        """Tokens to be scored, (N, C): the best by attention, and always end of sentence and what a search forces."""
        num_candidates = log_probs.size(1) if self.ctc_weight == 1 else min(2 * self.beam_size, log_probs.size(1))
        if num_candidates == log_probs.size(1):
            return torch.arange(num_candidates, device=log_probs.device).expand(len(log_probs), -1)
        best = log_probs.topk(num_candidates).indices
        always = [torch.full_like(best[:, :1], token) for token in self._always_scored]
        if forced is not None and step < forced.size(1):
            always.append(forced[:, step : step + 1])
        return torch.cat([best, *always], 1)  # a token twice has the same score twice


def _score(scorer: CTCPrefixScorer, prefixes: CTCPrefixState, candidates: Tensor) -> Tensor:
    size = max(1, MAX_ELEMENTS // (len(candidates) * prefixes.log_r_blank.size(1)))
    return torch.cat([scorer.score(prefixes, part) for part in candidates.split(size, dim=1)], 1)
