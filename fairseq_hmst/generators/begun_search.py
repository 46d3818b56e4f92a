"""fairseq's beam search from given beginnings (`prefix_tokens`); each is continued as if it were alone."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from fairseq.sequence_generator import SequenceGenerator
from torch import Tensor

from preprocess.errors import OptionError

from .beginnings import read_beginnings
from .language_ensemble import LanguageEnsemble

if TYPE_CHECKING:
    from torch.nn import Module

    from ..data.batch import Batch
    from .hypothesis import GeneratedHypothesis


class BegunSearch(SequenceGenerator):
    """fairseq's search, in which every hypothesis has the given beginning, whatever the limit of its length.

    fairseq leaves a beginning at its limit of length, and lets a translation end below --min-len while another one of
    the batch is still being forced.
    """

    def generate(
        self, models: Sequence[Module], sample: Batch, prefix_tokens: Tensor | None = None, **kwargs: object
    ) -> list[list[GeneratedHypothesis]]:
        """Hypotheses of a batch.

        Args:
            models, sample, kwargs: see fairseq.
            prefix_tokens: (B, P), see `beginnings`; one that is as long as a translation may be is all of it.

        Raises:
            OptionError: no n-gram may come twice; a beginning might have one.
            ValueError: a beginning is longer than what the decoder can read.
        """
        if prefix_tokens is None or prefix_tokens.size(1) == 0:
            return super().generate(models, sample, **kwargs)
        if self.repeat_ngram_blocker is not None:
            raise OptionError("no_repeat_ngram_size", "does not go with a given beginning, which may repeat")
        net_input = sample["net_input"]
        forced = self._forced_tokens(prefix_tokens, net_input["src_lengths"]).to(net_input["src_tokens"].device)
        search = copy.copy(self)
        search.max_len_b = max(self.max_len_b, forced.size(1))
        if isinstance(self.model, LanguageEnsemble):
            labels = forced.masked_fill(forced == self.pad, self.eos)
            sample = {**sample, "net_input": {**net_input, "prefix_tokens": labels}}
        return super(BegunSearch, search).generate(models, sample, prefix_tokens=forced, **kwargs)

    def _forced_tokens(self, prefix_tokens: Tensor, source_lengths: Tensor) -> Tensor:
        """Tokens (B, L) of each hypothesis; padding where the search or the ensemble is free."""
        not_labels = {self.pad, self.eos, *self.symbols_to_strip_from_output}
        beginnings = read_beginnings(prefix_tokens, not_labels, self.eos)
        num_symbols, limits = 0, [math.inf] * len(beginnings)
        if isinstance(self.model, LanguageEnsemble):
            num_symbols = self.model.num_forced_outputs
            if self.model.label_limit is not None:
                limits = self.model.label_limit.total(source_lengths).tolist()
        longest = num_symbols + max(len(beginning.labels) for beginning in beginnings)
        if longest >= self.max_len:
            raise ValueError(f"a beginning has {longest} tokens, the decoder has positions for {self.max_len - 1}")
        rows = []
        for beginning, limit in zip(beginnings, limits, strict=True):
            ends = beginning.is_whole or len(beginning.labels) >= limit
            tokens = [self.pad] * num_symbols + beginning.labels + [self.eos] * ends
            rows.append(tokens + [self.pad] * (longest + 1 - len(tokens)))
        return torch.tensor(rows)

    def _prefix_tokens(
        self, step: int, lprobs: Tensor, scores: Tensor, tokens: Tensor, prefix_tokens: Tensor, beam_size: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Scores (N, V) of the next token, of hypotheses so far (N, L), and their tokens (N, L); no wait for a GPU."""
        forced = prefix_tokens[:, step].repeat_interleave(beam_size).unsqueeze(1)
        only_forced = torch.full_like(lprobs, -math.inf).scatter(1, forced, lprobs.gather(1, forced))
        if step < self.min_len:
            lprobs[:, self.eos] = -math.inf
        lprobs = torch.where(forced == self.pad, lprobs, only_forced)
        # a search must end with all hypotheses of its beam, of which forced tokens leave the first
        rows = torch.arange(len(lprobs), device=lprobs.device)
        rows = torch.where(forced.squeeze(1) == self.eos, rows - rows % beam_size, rows)
        return lprobs[rows], tokens[rows], scores[rows]
