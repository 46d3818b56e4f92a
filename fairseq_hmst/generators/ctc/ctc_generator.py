"""Translation by a CTC head alone, behind fairseq's generator interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from ..finite_scores import check_log_probs, padding_of
from ..followed.temperature import mean_log_probs
from ..hypothesis import EncoderOut, ScoredLabels
from ..label_generator import LabelGenerator
from .ctc_search import ctc_greedy, ctc_prefix_beam_search

if TYPE_CHECKING:
    from ...data.batch import NetInput
    from ..beginnings import Beginnings


class CTCScorable(Protocol):
    """A model that can be decoded by its CTC head."""

    ctc_blank_index: int

    def eval(self) -> object: ...

    def encode(self, src_tokens: Tensor, src_lengths: Tensor) -> EncoderOut: ...

    def ctc_log_probs(self, encoder_out: EncoderOut) -> tuple[Tensor, Tensor]:
        """Log-probabilities over the output dictionary, (B, T, V) float32, and valid frames, (B,)."""
        ...


class CTCGenerator(LabelGenerator[CTCScorable]):
    """Decodes a batch by CTC: the best path with beam 1, prefix beam search with any other.

    The best path is not the same as a prefix search of beam 1, which forgets every alternative prefix at each frame.
    """

    name = "CTC"

    def _search(
        self, models: Sequence[CTCScorable], net_input: NetInput, beginnings: Beginnings | None
    ) -> list[list[ScoredLabels]]:
        log_probs, source_lengths = self._log_probs(models, net_input)
        blank_index = models[0].ctc_blank_index
        if self._beam_size == 1:
            return [[result] for result in ctc_greedy(log_probs, source_lengths, blank_index, beginnings)]
        return ctc_prefix_beam_search(log_probs, source_lengths, blank_index, self._beam_size, beginnings)

    def _score(
        self, models: Sequence[CTCScorable], net_input: NetInput, references: Sequence[Sequence[int]]
    ) -> list[float]:
        log_probs, source_lengths = self._log_probs(models, net_input)
        check_log_probs(log_probs, padding_of(log_probs, source_lengths))
        losses = functional.ctc_loss(
            log_probs.transpose(0, 1).double(),
            source_lengths.new_tensor([label for labels in references for label in labels]),
            source_lengths,
            source_lengths.new_tensor([len(labels) for labels in references]),
            blank=models[0].ctc_blank_index,
            reduction="none",
        )
        return (-losses).tolist()

    def _log_probs(self, models: Sequence[CTCScorable], net_input: NetInput) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the ensemble, (B, T, V), -inf at what is no label, and valid frames, (B,)."""
        log_probs, source_lengths = average_ctc_log_probs(models, net_input, self._temperature)
        # Training never shows these labels, so their probability is next to nothing: the others are left as they are.
        not_labels = torch.tensor(sorted(self._not_labels - {models[0].ctc_blank_index}), device=log_probs.device)
        return log_probs.index_fill(2, not_labels, -torch.inf), source_lengths


def average_ctc_log_probs(
    models: Sequence[CTCScorable], net_input: NetInput, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Logarithm of the models' mean CTC probabilities, (B, T, V), and valid frames, (B,); sets models to evaluation."""
    encoder_outs = []
    for model in models:
        model.eval()
        encoder_outs.append(model.encode(net_input["src_tokens"], net_input["src_lengths"]))
    return mean_ctc_log_probs(models, encoder_outs, temperature)


def mean_ctc_log_probs(
    models: Sequence[CTCScorable], encoder_outs: Sequence[EncoderOut], temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Logarithm of the mean CTC probabilities on what the models' encoders gave; see `average_ctc_log_probs`.

    Raises:
        ValueError: the models disagree about the blank or the number of frames.
    """
    outputs = [model.ctc_log_probs(encoded) for model, encoded in zip(models, encoder_outs, strict=True)]
    lengths = [model_lengths for _, model_lengths in outputs]
    _check_alike(models, lengths)
    return mean_log_probs([log_probs for log_probs, _ in outputs], temperature), lengths[0]


def _check_alike(models: Sequence[CTCScorable], lengths: Sequence[Tensor]) -> None:
    for number, (model, model_lengths) in enumerate(zip(models[1:], lengths[1:], strict=True), 1):
        if model.ctc_blank_index != models[0].ctc_blank_index:
            found = f"{model.ctc_blank_index} against {models[0].ctc_blank_index}"
            raise ValueError(f"model {number} of the ensemble has another CTC blank than the first: {found}")
        if not torch.equal(model_lengths, lengths[0]):
            found = f"{model_lengths.tolist()} against {lengths[0].tolist()}"
            raise ValueError(f"model {number} of the ensemble has other frames an utterance than the first: {found}")
