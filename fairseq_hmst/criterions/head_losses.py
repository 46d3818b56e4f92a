"""The loss of each head of a model on a batch, one value an example; joint_criterion.py weights and logs them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from fairseq import utils
from torch import Tensor

from ..losses.checked_labels import Labels
from ..losses.cross_entropy import count_correct, count_labels, label_smoothed_cross_entropy
from ..losses.ctc_loss import ctc_feasible, ctc_loss
from ..losses.rnnt import fused_rnnt_loss

if TYPE_CHECKING:
    from ..data.batch import Batch
    from ..models.hmst_model import ModelOutput, TransducerInputs


class Distribution(NamedTuple):
    """Predictions of a head at each of N positions: target tokens, or encoder steps of a CTC."""

    log_probs: Tensor  # (R, N, V)
    padding_mask: Tensor  # (R, N)
    rows: Tensor  # (R,) rows of the batch, rising


class Transcripts(NamedTuple):
    """Labels that the source CTC learns of a batch, and which examples take part."""

    labels: Tensor  # (B, S)
    lengths: Tensor  # (B,)
    chosen: Tensor  # (B,) whether an example takes part


class HeadLosses:
    """Losses and counts of one batch.

    Args:
        output: what the model's forward returned (ModelOutput).
        batch: its target is what the attention decoder learns to write, its labels are what CTC and transducer learn.
        padding_index: id of padding in the output dictionary.

    Attributes:
        losses: head name -> (B,) nats, for the heads in `output` whose method has been called.
        measures: name -> (B,) further numbers worth logging, on the device of the losses.
        counts: name -> (B,) int64 numbers that depend on the batch alone, on the CPU.
        num_tokens: (B,) target tokens, on the CPU.
        distributions: head name -> what it predicts; none of a transducer, which never builds it.
        on_host: the batch on the CPU.
    """

    def __init__(self, output: "ModelOutput", batch: "Batch", padding_index: int) -> None:
        self.output = output
        self.batch = batch
        self.on_host = batch["on_host"].batch
        self.padding_index = padding_index
        self.num_tokens = count_labels(_target(self.on_host), padding_index)
        self.losses: dict[str, Tensor] = {}
        self.measures: dict[str, Tensor] = {}
        self.counts: dict[str, Tensor] = {}
        self.distributions: dict[str, Distribution] = {}

    def add_attention(self, logits: Tensor, label_smoothing: float, measure_accuracy: bool) -> None:
        """Cross-entropy of the attention decoder, its unsmoothed form, and on request the number of right labels."""
        target = _target(self.batch)
        log_probs = utils.log_softmax(logits, dim=-1)
        self._keep("attention", log_probs, target.eq(self.padding_index), self._all_rows())
        self.losses["attention"], self.measures["nll"] = label_smoothed_cross_entropy(
            log_probs, target, label_smoothing, self.padding_index
        )
        if measure_accuracy:
            self.measures["correct"] = count_correct(log_probs, target, self.padding_index)

    def add_transducer(self, inputs: "TransducerInputs") -> None:
        """Transducer loss of the labels."""
        labels, on_host = self._labels()
        self.losses["transducer"] = fused_rnnt_loss(
            *inputs, *labels, blank_index=self.output.blank_index, on_host=on_host
        )

    def add_ctc(self, logits: Tensor) -> None:
        """CTC of the translation; an example without a CTC path has loss 0, no tokens, and is counted."""
        self._add_ctc("ctc", logits, *self._labels(), self._all_rows(), self.num_tokens)

    def add_source_ctc(self, logits: Tensor, transcripts: Transcripts, on_host: Transcripts) -> None:
        """CTC of the transcripts for the examples that are chosen; the others have loss 0 and no tokens.

        Args:
            logits: (B, T, labels).
            transcripts: on the device of the logits.
            on_host: the same on the CPU.
        """
        host_rows = on_host.chosen.nonzero().squeeze(-1)
        rows = chosen_rows(transcripts.chosen, len(host_rows))
        source_lengths = self.output.source_lengths[rows], self.on_host["net_input"]["src_lengths"][host_rows]
        labels = Labels(transcripts.labels[rows], source_lengths[0], transcripts.lengths[rows])
        labels_on_host = Labels(on_host.labels[host_rows], source_lengths[1], on_host.lengths[host_rows])
        self._add_ctc("source_ctc", logits[rows], labels, labels_on_host, rows, self.num_tokens[host_rows])
        self.losses["source_ctc"] = spread(self.losses["source_ctc"], rows, len(logits))
        for name in ("source_ctc_infeasible", "source_ctc_tokens"):
            self.counts[name] = spread(self.counts[name], host_rows, len(logits))

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

    def _labels(self) -> tuple[Labels, Labels]:
        """Labels and lengths, on the device and on the host."""
        batch, on_host = self.batch, self.on_host
        return (
            Labels(batch["labels"], self.output.source_lengths, batch["label_lengths"]),
            Labels(on_host["labels"], on_host["net_input"]["src_lengths"], on_host["label_lengths"]),
        )

    def _add_ctc(
        self, name: str, logits: Tensor, labels: Labels, on_host: Labels, rows: Tensor, num_tokens: Tensor
    ) -> None:
        log_probs = utils.log_softmax(logits, dim=-1)  # float32 whatever the precision of training
        steps = torch.arange(log_probs.size(1), device=log_probs.device)
        self._keep(name, log_probs, steps >= labels.source_lengths.unsqueeze(1), rows)
        self.losses[name] = ctc_loss(log_probs, *labels, self.output.blank_index, on_host=on_host)
        infeasible = ctc_feasible(*on_host).logical_not()
        self.counts[f"{name}_infeasible"] = infeasible.to(torch.int64)
        self.counts[f"{name}_tokens"] = num_tokens.masked_fill(infeasible, 0)

    def _all_rows(self) -> Tensor:
        return torch.arange(len(self.num_tokens), device=self.batch["labels"].device)

    def _keep(self, head: str, log_probs: Tensor, padding_mask: Tensor, rows: Tensor) -> None:
        self.distributions[head] = Distribution(log_probs, padding_mask, rows)


def chosen_rows(chosen: Tensor, num_chosen: int) -> Tensor:
    """Rows (num_chosen,), rising, where `chosen` (B,) is True; the host, which knows how many, waits for no GPU."""
    return chosen.logical_not().argsort(stable=True)[:num_chosen]


def spread(values: Tensor, rows: Tensor, num_rows: int) -> Tensor:
    """A tensor (num_rows,) with `values` at `rows` and 0 elsewhere."""
    return values.new_zeros(num_rows).index_copy(0, rows, values)


def _target(batch: "Batch") -> Tensor:
    target = batch["target"]
    if target is None:
        raise ValueError("a batch without translations has no loss")
    return target
