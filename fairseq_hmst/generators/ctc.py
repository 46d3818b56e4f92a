"""Translation by a CTC head alone, behind fairseq's generator interface."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from .ctc_search import ScoredLabels, ctc_greedy, ctc_prefix_beam_search
from .hypothesis import Hypothesis, make_hypothesis

if TYPE_CHECKING:
    from fairseq.data import Dictionary


class CTCModel(Protocol):
    """What a model must offer to be decoded by its CTC head."""

    ctc_blank_index: int

    def eval(self) -> Any: ...

    def encode(self, src_tokens: Tensor, src_lengths: Tensor) -> Any: ...

    def ctc_log_probs(self, encoder_out: Any) -> tuple[Tensor, Tensor]:
        """(B, T, V) float32 log-probabilities over the output dictionary, and (B,) valid frames."""
        ...


class CTCGenerator:
    """Decodes a batch by CTC: the best path with beam 1, prefix beam search with any other.

    The best path is not the same as a prefix search of beam 1, which forgets every alternative prefix at each frame.

    Args:
        tgt_dict: the output dictionary, whose pad, bos and eos are no labels and never come out.
        beam_size: prefixes kept after each frame, and so the most hypotheses an utterance can have.
        length_penalty: fairseq's --lenpen; a score is the log-probability over (labels + 1) ** length_penalty, and the
            hypotheses of the last frame are ranked by it. 0 ranks by the log-probability.
    """

    def __init__(self, tgt_dict: Dictionary, beam_size: int = 1, length_penalty: float = 1.0) -> None:
        if beam_size < 1:
            raise ValueError(f"beam must be at least 1, got {beam_size}")
        self.eos = tgt_dict.eos()  # fairseq-generate strips it from its output
        self._not_labels = {tgt_dict.pad(), tgt_dict.bos(), tgt_dict.eos()}
        self._beam_size = beam_size
        self._length_penalty = length_penalty

    @torch.no_grad()
    def generate(
        self,
        models: Sequence[CTCModel],
        sample: dict[str, Any],
        prefix_tokens: Tensor | None = None,
        constraints: Tensor | None = None,
        bos_token: int | None = None,
    ) -> list[list[Hypothesis]]:
        """Hypotheses of each utterance of the batch, best first; at least one and at most `beam_size` each.

        Args:
            models: one model, or several whose probabilities are averaged frame by frame.
            sample: fairseq's batch; net_input.src_tokens and net_input.src_lengths are read.

        Raises:
            ValueError: prefix_tokens, constraints or bos_token are given, which CTC cannot follow; or the models
                disagree about the blank or the number of frames.
        """
        for name, value in (("prefix", prefix_tokens), ("constraints", constraints), ("bos", bos_token)):
            if value is not None:
                raise ValueError(f"decoding by CTC cannot follow forced target tokens ({name}); decode by attention")
        log_probs, source_lengths = average_ctc_log_probs(models, sample["net_input"])
        blank_index = models[0].ctc_blank_index
        # Training never shows these labels, so their probability is next to nothing: the others are left as they are.
        not_labels = torch.tensor(sorted(self._not_labels - {blank_index}), device=log_probs.device)
        log_probs = log_probs.index_fill(2, not_labels, -torch.inf)
        return [self._rank(results) for results in self._search(log_probs, source_lengths, blank_index)]

    def _search(self, log_probs: Tensor, source_lengths: Tensor, blank_index: int) -> list[list[ScoredLabels]]:
        if self._beam_size == 1:
            return [[result] for result in ctc_greedy(log_probs, source_lengths, blank_index)]
        return ctc_prefix_beam_search(log_probs, source_lengths, blank_index, self._beam_size)

    def _rank(self, results: list[ScoredLabels]) -> list[Hypothesis]:
        hypotheses = [
            make_hypothesis(result.labels, result.log_prob, self.eos, self._length_penalty) for result in results
        ]
        return sorted(hypotheses, key=lambda hypothesis: float(hypothesis["score"]), reverse=True)


def average_ctc_log_probs(models: Sequence[CTCModel], net_input: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """(B, T, V) logarithm of the models' mean CTC probabilities and (B,) valid frames; models are set to evaluation."""
    log_probs, lengths = [], []
    for model in models:
        model.eval()
        model_log_probs, model_lengths = model.ctc_log_probs(
            model.encode(net_input["src_tokens"], net_input["src_lengths"])
        )
        log_probs.append(model_log_probs)
        lengths.append(model_lengths)
    _check_alike(models, lengths)
    return torch.stack(log_probs).logsumexp(0) - math.log(len(models)), lengths[0]


def _check_alike(models: Sequence[CTCModel], lengths: Sequence[Tensor]) -> None:
    for number, (model, model_lengths) in enumerate(zip(models, lengths, strict=True)):
        if model.ctc_blank_index != models[0].ctc_blank_index:
            found = f"{model.ctc_blank_index} against {models[0].ctc_blank_index}"
            raise ValueError(f"model {number} of the ensemble has another CTC blank than the first: {found}")
        if not torch.equal(model_lengths, lengths[0]):
            found = f"{model_lengths.tolist()} against {lengths[0].tolist()}"
            raise ValueError(f"model {number} of the ensemble has other frames an utterance than the first: {found}")
