"""hmst_joint: one loss over the heads a model has, with ST and MT weighed and logged apart."""

import math
from dataclasses import dataclass, field
from typing import Any, Optional

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.logging import metrics
from omegaconf import II
from torch import Tensor

from .head_losses import HeadLosses

DEFAULT_WEIGHTS = {"attention": 0.7, "transducer": 0.7, "ctc": 0.3, "source_ctc": 0.3}


def _weight_field(head: str, meaning: str) -> Any:
    help_text = f"relative weight of {meaning}, 0 or more (default: {DEFAULT_WEIGHTS[head]} where the model has it)"
    return field(default=None, metadata={"help": help_text})


@dataclass
class JointCriterionConfig(FairseqDataclass):
    """Weights are relative: the loss is the weighted mean over the heads that the model has."""

    label_smoothing: float = field(
        default=0.1, metadata={"help": "epsilon of the attention decoder's cross-entropy, 0 to 1"}
    )
    attention_weight: Optional[float] = _weight_field("attention", "the attention decoder's cross-entropy")
    transducer_weight: Optional[float] = _weight_field("transducer", "the transducer loss")
    ctc_weight: Optional[float] = _weight_field("ctc", "CTC on the translation")
    source_ctc_weight: Optional[float] = _weight_field("source_ctc", "CTC on the source transcript")
    mt_weight: float = field(default=1.0, metadata={"help": "weight of each MT example; an ST example has 1"})
    source_ctc_streams: ChoiceEnum(["st", "mt", "st,mt"]) = field(  # type: ignore[valid-type]
        default="st", metadata={"help": "streams whose transcripts the source CTC learns; for mt it is a copying task"}
    )
    sentence_avg: bool = II("optimization.sentence_avg")


@register_criterion("hmst_joint", dataclass=JointCriterionConfig)
class JointCriterion(FairseqCriterion):
    """Weighted mean of the losses of a model's heads, summed over the batch.

    The sample size, by which fairseq divides, is the number of target tokens, each weighed as its example is; so a
    stream of weight 0 changes nothing.

    Raises:
        ValueError: a weight is negative, all are 0, or one is given for a head that the model lacks.
    """

    def __init__(
        self,
        task: Any,
        label_smoothing: float,
        attention_weight: Optional[float],
        transducer_weight: Optional[float],
        ctc_weight: Optional[float],
        source_ctc_weight: Optional[float],
        mt_weight: float,
        source_ctc_streams: str,
        sentence_avg: bool,
    ) -> None:
        super().__init__(task)
        self.label_smoothing = label_smoothing
        self.given_weights = {
            "attention": attention_weight,
            "transducer": transducer_weight,
            "ctc": ctc_weight,
            "source_ctc": source_ctc_weight,
        }
        for name, weight in (self.given_weights | {"mt": mt_weight}).items():
            if weight is not None and weight < 0:
                raise ValueError(f"--{name.replace('_', '-')}-weight must be 0 or more, got {weight}")
        self.stream_names = task.stream_names
        self.stream_weights = {"st": 1.0, "mt": mt_weight}
        self.source_ctc_streams = str(source_ctc_streams).split(",")
        self.sentence_avg = sentence_avg

    def forward(self, model: Any, sample: dict[str, Any]) -> tuple[Tensor, Tensor, dict[str, Any]]:
        """Loss in nats, sample size, and the sums that `reduce_metrics` logs."""
        heads = self.head_losses(model(**sample["net_input"]), sample, measure_accuracy=not model.training)
        weights = self.head_weights(list(heads.losses))
        losses = torch.stack([weights[head] * heads.losses[head] for head in weights]).sum(0)  # (B,)
        example_weights = self._per_stream(sample, self.stream_weights).to(losses)
        loss = (example_weights * losses).sum()
        sample_size = (example_weights if self.sentence_avg else example_weights * heads.num_tokens).sum()
        per_example = {"loss": losses, "ntokens": heads.num_tokens, **heads.counts}
        per_example |= {f"{head}_loss": values for head, values in heads.losses.items()}
        logging_output = {
            "loss": loss.detach(),
            "ntokens": sample["ntokens"],
            "nsentences": sample["nsentences"],
            "sample_size": sample_size,
        }
        for stream in self.stream_names:
            in_stream = self._per_stream(sample, {stream: 1.0}).to(losses)
            for name, values in per_example.items():
                logging_output[f"{stream}_{name}"] = (in_stream * values.detach()).sum()
        return loss, sample_size, logging_output

    def head_losses(self, output: Any, sample: dict[str, Any], measure_accuracy: bool) -> HeadLosses:
        """Losses of every head in `output`."""
        heads = HeadLosses(output, sample["target"], sample["labels"], sample["label_lengths"], self.padding_idx)
        if output.attention_logits is not None:
            heads.add_attention(self.label_smoothing, measure_accuracy)
        if output.transducer is not None:
            heads.add_transducer()
        if output.ctc_logits is not None:
            heads.add_ctc()
        if output.source_ctc_logits is not None:
            in_streams = self._per_stream(sample, dict.fromkeys(self.source_ctc_streams, 1.0)) > 0
            labels = self.task.data_bin.transcript_labels(sample["transcript"])
            has_transcript = sample["transcript_lengths"] >= 0
            heads.add_source_ctc(labels, sample["transcript_lengths"], has_transcript & in_streams)
        return heads

    def head_weights(self, heads: list[str]) -> dict[str, float]:
        """Weights of the model's heads, normalised to sum to 1."""
        without_head = [name for name, weight in self.given_weights.items() if weight is not None and name not in heads]
        if without_head:
            flags = ", ".join(f"--{name.replace('_', '-')}-weight" for name in without_head)
            raise ValueError(f"{flags} given, but the model has no such head; it has: {', '.join(heads)}")
        given = {head: self.given_weights[head] for head in heads}
        weights = {head: DEFAULT_WEIGHTS[head] if value is None else value for head, value in given.items()}
        total = sum(weights.values())
        if total == 0:
            raise ValueError(f"all weights of the model's heads ({', '.join(heads)}) are 0: there is nothing to learn")
        return {head: weight / total for head, weight in weights.items()}

    def _per_stream(self, sample: dict[str, Any], values: dict[str, float]) -> Tensor:
        """(B,) the value of each example's stream; 0 for a stream that `values` does not name."""
        by_number = torch.tensor([values.get(name, 0.0) for name in self.task.ALL_STREAMS])
        return by_number.to(sample["stream"].device)[sample["stream"]]

    @classmethod
    def reduce_metrics(cls, logging_outputs: list[dict[str, Any]]) -> None:
        """Log losses in bits per target token: `loss` (weighted), and by stream and head `st_loss`, `st_ctc_loss`...

        Besides `st_accuracy` in validation (share of right tokens under teacher forcing) and, where there are any,
        `st_ctc_infeasible`: examples without a CTC path.
        """
        names = {name for log in logging_outputs for name in log}
        sums = {name: float(sum(log.get(name, 0) for log in logging_outputs)) for name in names}
        _log_bits("loss", sums["loss"], sums["sample_size"])
        for stream in sorted(name.removesuffix("_ntokens") for name in names if name.endswith("_ntokens")):
            num_tokens = sums[f"{stream}_ntokens"]
            if num_tokens == 0:
                continue
            for name in sorted(names):
                if name.startswith(f"{stream}_") and name.endswith(("_loss", "_nll")):
                    _log_bits(name, sums[name], num_tokens)
                elif name.startswith(f"{stream}_") and name.endswith("_infeasible") and sums[name] > 0:
                    metrics.log_scalar_sum(name, sums[name], round=0)
            if f"{stream}_correct" in sums:
                accuracy = 100 * sums[f"{stream}_correct"] / num_tokens
                metrics.log_scalar(f"{stream}_accuracy", accuracy, num_tokens, round=2)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True


def _log_bits(name: str, nats: float, weight: float) -> None:
    metrics.log_scalar(name, nats / (weight or 1.0) / math.log(2), weight, round=3)
