"""The loss of each head of a model on a batch, one value an example; joint_criterion.py weights and logs them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from fairseq import utils
from torch import Tensor

from ..losses.cross_entropy import count_correct, count_labels, label_smoothed_cross_entropy
from ..losses.ctc_loss import ctc_feasible, ctc_loss
from ..losses.rnnt import fused_rnnt_loss

if TYPE_CHECKING:
    from ..models.hmst_model import ModelOutput, TransducerInputs


class Distribution(NamedTuple):
    """Predictions of a head at each of N positions: target tokens, or encoder steps of a CTC."""

    log_probs: Tensor  # (R, N, V)
    padding_mask: Tensor  # (R, N)
    rows: Tensor  # (R,) rows of the batch, rising


class HeadLosses:
    """Losses and counts of one batch.

    Args:
        output: what the model's forward returned (ModelOutput).
        target: (B, U) what the attention decoder learns to write, each row ending with eos, padded.
        labels: (B, U') what CTC and transducer learn: the target without language symbol and eos, padded.
        label_lengths: (B,) int64.
        padding_index: id of padding in the output dictionary.

    Attributes:
        losses: head name -> (B,) nats, for the heads in `output` whose method has been called.
        counts: name -> (B,) further numbers worth logging.
        distributions: head name -> what it predicts; none of a transducer, which never builds it.
    """

    def __init__(
        self, output: "ModelOutput", target: Tensor, labels: Tensor, label_lengths: Tensor, padding_index: int
    ) -> None:
        self.output = output
        self.target = target
        self.labels = labels
        self.label_lengths = label_lengths
        self.padding_index = padding_index
        self.num_tokens = count_labels(target, padding_index)
        self.losses: dict[str, Tensor] = {}
        self.counts: dict[str, Tensor] = {}
        self.distributions: dict[str, Distribution] = {}

    def add_attention(self, logits: Tensor, label_smoothing: float, measure_accuracy: bool) -> None:
        """Cross-entropy of the attention decoder, its unsmoothed form, and on request the number of right labels."""
        log_probs = utils.log_softmax(logits, dim=-1)
        self._keep("attention", log_probs, self.target.eq(self.padding_index), self._all_rows())
        self.losses["attention"], self.counts["nll"] = label_smoothed_cross_entropy(
            log_probs, self.target, label_smoothing, self.padding_index
        )
        if measure_accuracy:
            self.counts["correct"] = count_correct(log_probs, self.target, self.padding_index)

    def add_transducer(self, inputs: "TransducerInputs") -> None:
        """Transducer loss of the labels."""
        self.losses["transducer"] = fused_rnnt_loss(
            inputs.encoder_out,
            inputs.predictor_out,
            inputs.weight,
            inputs.bias,
            self.labels,
            self.output.source_lengths,
            self.label_lengths,
            blank_index=self.output.blank_index,
        )

    def add_ctc(self, logits: Tensor) -> None:
        """CTC of the translation; an example without a CTC path has loss 0, no tokens, and is counted."""
        self._add_ctc("ctc", logits, self.labels, self.label_lengths, self._all_rows())

    def add_source_ctc(self, logits: Tensor, labels: Tensor, label_lengths: Tensor, chosen: Tensor) -> None:
        """CTC of the transcript for the examples marked in `chosen` (B,); the others have loss 0 and no tokens."""
        rows = chosen.nonzero().squeeze(-1)
        self._add_ctc("source_ctc", logits[rows], labels[rows], label_lengths[rows], rows)
        counts = (self.counts, "source_ctc_infeasible"), (self.counts, "source_ctc_tokens")
        for values, name in ((self.losses, "source_ctc"), *counts):
            values[name] = values[name].new_zeros(len(chosen)).index_copy(0, rows, values[name])

    def has_loss(self, weights: Mapping[str, float]) -> Tensor:
        """Whether each example has a loss of some head, (B,): not if all are CTC, and none has a path.

        Args:
            weights: of the heads; those of weight 0 do not count.
        """
        of_heads = [
            self.counts.get(f"{head}_infeasible", torch.zeros_like(self.num_tokens)) == 0
            for head, weight in weights.items()
            if weight > 0
        ]
        return torch.stack(of_heads).any(0)

    def _add_ctc(self, name: str, logits: Tensor, labels: Tensor, label_lengths: Tensor, rows: Tensor) -> None:
        log_probs = utils.log_softmax(logits, dim=-1)  # float32 whatever the precision of training
        source_lengths = self.output.source_lengths[rows]
        steps = torch.arange(log_probs.size(1), device=log_probs.device)
        self._keep(name, log_probs, steps >= source_lengths.unsqueeze(1), rows)
        self.losses[name] = ctc_loss(log_probs, labels, source_lengths, label_lengths, self.output.blank_index)
        infeasible = ctc_feasible(labels, source_lengths, label_lengths).logical_not()
        self.counts[f"{name}_infeasible"] = infeasible.to(torch.int64)
        self.counts[f"{name}_tokens"] = self.num_tokens[rows].masked_fill(infeasible, 0)

    def _all_rows(self) -> Tensor:
        return torch.arange(len(self.target), device=self.target.device)

    def _keep(self, head: str, log_probs: Tensor, padding_mask: Tensor, rows: Tensor) -> None:
        self.distributions[head] = Distribution(log_probs, padding_mask, rows)
