"""hmst_joint: one loss over the heads a model has, with ST and MT weighted and logged apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.logging import metrics
from omegaconf import II
from torch import Tensor

from preprocess.errors import OptionError

from .head_losses import HeadLosses
from .views import copies_of_batch, divergence_of_copies, divergence_of_twins
from .word_errors import count_word_errors

if TYPE_CHECKING:
    from ..data.batch import Batch
    from ..models.hmst_model import HmstModel, ModelOutput
    from ..tasks.hmst_translation import HmstTranslationTask

OPTIONS_OF_HEADS = {"label_smoothing": "attention", "source_ctc_streams": "source_ctc"}
DEFAULT_WEIGHTS = {"attention": 0.7, "transducer": 0.7, "ctc": 0.3, "source_ctc": 0.3}


def _weight_field(head: str, meaning: str) -> float | None:
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
        default="st,mt",
        metadata={"help": "streams whose transcripts the source CTC learns; for mt, a text without its repetitions"},
    )
    rdrop_weight: float = field(
        default=0.0,
        metadata={
            "help": "weight of R-drop, 0 or more; 0: none. Each batch goes through the model twice, as one of double "
            "size, and the two outputs of every attention and CTC head must agree; needs the memory of twice "
            "--max-tokens. The published alpha is twice this weight"
        },
    )
    consistency_weight: float = field(
        default=0.0,
        metadata={
            "help": "weight of the agreement of speech and text, 0 or more; 0: none. Each ST training example that has "
            "a transcript gets a text twin (the transcript repeated, the same target) in its batch, which counts as an "
            "MT example, and the attention decoder must predict the same for both"
        },
    )
    sentence_avg: bool = II("optimization.sentence_avg")


@register_criterion("hmst_joint", dataclass=JointCriterionConfig)
class JointCriterion(FairseqCriterion):
    """Weighted mean of the losses of a model's heads, summed over the batch.

    The sample size, by which fairseq divides, is the number of target tokens, each weighted as its example is; so a
    stream of weight 0 changes nothing. An example of which no head has a loss, as its CTC has no path, does not count.
    R-drop and consistency belong to training alone, not to validation; they add to the losses of examples, and neither
    to the number of examples nor of tokens.

    Attributes:
        trains_every_head: unlike fairseq's criterions, which train an attention decoder alone.
        needs_text_twins: whether batches of train need text twins.

    Raises:
        ValueError: a weight is negative, all are 0, or one is given for a head that the model lacks or that does not
            serve it.
        OptionError: an option has another value than its default, and the model or the streams lack what it is of.
    """

    trains_every_head = True

    def __init__(
        self,
        task: "HmstTranslationTask",
        label_smoothing: float,
        attention_weight: float | None,
        transducer_weight: float | None,
        ctc_weight: float | None,
        source_ctc_weight: float | None,
        mt_weight: float,
        source_ctc_streams: str,
        rdrop_weight: float,
        consistency_weight: float,
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
        other_weights = {"mt": mt_weight, "rdrop": rdrop_weight, "consistency": consistency_weight}
        for name, weight in (self.given_weights | other_weights).items():
            if weight is not None and weight < 0:
                raise ValueError(f"--{name.replace('_', '-')}-weight must be 0 or more, got {weight}")
        self.rdrop_weight = rdrop_weight
        self.consistency_weight = consistency_weight
        self.needs_text_twins = consistency_weight > 0
        has_text = "mt" in task.stream_names or not self.needs_text_twins
        self.stream_names = task.stream_names if has_text else [*task.stream_names, "mt"]
        if mt_weight != 1 and "mt" not in self.stream_names:
            raise OptionError("mt_weight", f"{mt_weight} has no effect with --streams {','.join(self.stream_names)}")
        self.stream_weights = {"st": 1.0, "mt": mt_weight}
        self.source_ctc_streams = str(source_ctc_streams)
        self.sentence_avg = sentence_avg

    def forward(self, model: "HmstModel", sample: "Batch") -> tuple[Tensor, Tensor, dict[str, Tensor | int]]:
        """Loss in nats, sample size, and the sums that `reduce_metrics` logs."""
        num_copies = 2 if model.training and self.rdrop_weight > 0 else 1
        views = copies_of_batch(sample, num_copies)
        heads = self.head_losses(model(**views["net_input"]), views, measure_accuracy=not model.training)
        if not model.training and "source_ctc" in heads.distributions:
            heads.counts |= self._word_errors(heads, views)
        weights = self.head_weights(list(heads.losses))
        losses = torch.stack([weights[head] * heads.losses[head] for head in weights]).sum(0)  # (num_copies * B,)
        per_example = {f"{head}_loss": values for head, values in heads.losses.items()}
        if model.training and self.rdrop_weight > 0:
            per_example["rdrop_loss"] = divergence_of_copies(heads, weights)
            losses = losses + self.rdrop_weight * per_example["rdrop_loss"]
        if model.training and self.consistency_weight > 0:
            per_example["consistency_loss"] = divergence_of_twins(heads, weights, views["twin"])
            losses = losses + self.consistency_weight * weights["attention"] * per_example["consistency_loss"]
        # an example counts as one, however many copies of it there are
        example_weights = self._per_stream(views, self.stream_weights).to(losses) / num_copies
        loss = (example_weights * losses).sum()
        has_loss = heads.has_loss(weights)
        tokens = has_loss * heads.num_tokens
        sample_size = (example_weights * (has_loss if self.sentence_avg else tokens)).sum()
        per_example |= {"loss": losses, "tokens": tokens, "ntokens": heads.num_tokens, **heads.counts}
        logging_output: dict[str, Tensor | int] = {
            "loss": loss.detach(),
            "ntokens": sample["ntokens"],
            "nsentences": sample["nsentences"],
            "sample_size": sample_size,
        }
        for stream in self.stream_names:
            in_stream = self._per_stream(views, {stream: 1.0}).to(losses) / num_copies
            for name, values in per_example.items():
                logging_output[f"{stream}_{name}"] = (in_stream * values.detach()).sum()
        logging_output.pop("mt_consistency_loss", None)  # it is the speech that has a twin
        return loss, sample_size, logging_output

    def head_losses(self, output: "ModelOutput", sample: "Batch", measure_accuracy: bool) -> HeadLosses:
        """Losses of every head in `output`."""
        target = sample["target"]
        if target is None:
            raise ValueError("a batch without translations has no loss")
        heads = HeadLosses(output, target, sample["labels"], sample["label_lengths"], self.padding_idx)
        if output.attention_logits is not None:
            heads.add_attention(output.attention_logits, self.label_smoothing, measure_accuracy)
        if output.transducer is not None:
            heads.add_transducer(output.transducer)
        if output.ctc_logits is not None:
            heads.add_ctc(output.ctc_logits)
        if output.source_ctc_logits is not None:
            in_streams = self._per_stream(sample, dict.fromkeys(self.source_ctc_streams.split(","), 1.0)) > 0
            labels = self.task.data_bin.transcript_labels(sample["transcript"])
            has_transcript = sample["transcript_lengths"] >= 0
            heads.add_source_ctc(
                output.source_ctc_logits, labels, sample["transcript_lengths"], has_transcript & in_streams
            )
        return heads

    def _word_errors(self, heads: HeadLosses, sample: "Batch") -> dict[str, Tensor]:
        text, lengths = self.task.text, sample["transcript_lengths"].clamp(min=0)
        transcripts = [text.transcript(row[:length]) for row, length in zip(sample["transcript"], lengths, strict=True)]
        distribution = heads.distributions["source_ctc"]
        return count_word_errors(distribution, heads.output.blank_index, transcripts, text.transcript_of_labels)

    def metric_names(self, model: "HmstModel", streams: Sequence[str]) -> list[str]:
        """Names that a validation logs by `reduce_metrics`, but for counts."""
        heads = [name for name in model.decodings if name != "joint"]
        of_stream = ["loss", *(f"{head}_loss" for head in heads)]
        if "attention" in heads:
            of_stream += ["nll", "accuracy"]
        if model.source_ctc_head is not None:
            of_stream += ["source_ctc_loss", "source_wer"]
        return ["loss", *(f"{stream}_{name}" for stream in streams for name in of_stream)]

    def head_weights(self, heads: list[str]) -> dict[str, float]:
        """Weights of the model's heads, normalised to sum to 1."""
        without_head = [name for name, weight in self.given_weights.items() if weight is not None and name not in heads]
        if without_head:
            flags = ", ".join(f"--{name.replace('_', '-')}-weight" for name in without_head)
            raise ValueError(f"{flags} given, but the model has no such head; it has: {', '.join(heads)}")
        for option, head in OPTIONS_OF_HEADS.items():
            value = getattr(self, option)
            if head not in heads and value != JointCriterionConfig.__dataclass_fields__[option].default:
                raise OptionError(
                    option, f"{value} has no effect: it is of the head {head}, and the model has: {', '.join(heads)}"
                )
        given = {head: self.given_weights[head] for head in heads}
        weights = {head: DEFAULT_WEIGHTS[head] if value is None else value for head, value in given.items()}
        total = sum(weights.values())
        if total == 0:
            raise ValueError(f"all weights of the model's heads ({', '.join(heads)}) are 0: there is nothing to learn")
        return {head: weight / total for head, weight in weights.items()}

    def _per_stream(self, sample: "Batch", values: dict[str, float]) -> Tensor:
        """Value of each example's stream, (B,); 0 for a stream that `values` does not name."""
        by_number = torch.tensor([values.get(name, 0.0) for name in self.task.ALL_STREAMS])
        return by_number.to(sample["stream"].device)[sample["stream"]]

    @classmethod
    def reduce_metrics(cls, logging_outputs: list[dict[str, float]]) -> None:
        """Log losses in bits per target token: `loss` (weighted), and by stream and head `st_loss`, `st_ctc_loss`...

        `st_rdrop_loss` (the weighted mean over heads) and `st_consistency_loss` are divergences before their weights.
        Besides, in validation, `st_accuracy` (share of right tokens under teacher forcing) and `st_source_wer` (word
        error rate of the source CTC's best path, in percent); and where there are any, `st_ctc_infeasible`: examples
        without a CTC path. Means are over the examples of which there is such a loss.
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
                    of_head = sums.get(f"{name.removesuffix('loss')}tokens", num_tokens)
                    if of_head > 0:
                        _log_bits(name, sums[name], of_head)
                elif name.startswith(f"{stream}_") and name.endswith("_infeasible") and sums[name] > 0:
                    metrics.log_scalar_sum(name, sums[name], round=0)
            if f"{stream}_correct" in sums:
                accuracy = 100 * sums[f"{stream}_correct"] / num_tokens
                metrics.log_scalar(f"{stream}_accuracy", accuracy, num_tokens, round=2)
            if num_words := sums.get(f"{stream}_source_words", 0):
                error_rate = 100 * sums[f"{stream}_source_word_errors"] / num_words
                metrics.log_scalar(f"{stream}_source_wer", error_rate, num_words, round=2)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True


def _log_bits(name: str, nats: float, weight: float) -> None:
    metrics.log_scalar(name, nats / (weight or 1.0) / math.log(2), weight, round=3)
