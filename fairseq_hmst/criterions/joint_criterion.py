"""hmst_joint: one loss over the heads a model has, with ST and MT weighted and logged apart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from omegaconf import II
from torch import Tensor

from preprocess.errors import OptionError

from .by_stream import by_stream, sums_by_stream
from .head_losses import HeadLosses, Transcripts
from .logged_losses import log_losses
from .views import CTC_HEADS, copies_of_batch, divergence_of_copies, divergence_of_twins
from .word_errors import count_word_errors

if TYPE_CHECKING:
    from ..data.batch import Batch
    from ..models.hmst_model import HmstModel, ModelOutput
    from ..tasks.hmst_translation import HmstTranslationTask

OPTIONS_OF_HEADS = {"label_smoothing": "attention", "source_ctc_streams": "source_ctc"}
DEFAULT_WEIGHTS = {"attention": 0.7, "transducer": 0.7, "ctc": 0.3, "source_ctc": 0.3}
# Gradients of --fp16 are those of the sum over all tokens times --fp16-init-scale, 128, and must stay below 65504. Loss
# and sample size, by which fairseq divides later, are therefore in units of 128 tokens: a power of two rounds nothing.
LOSS_UNIT = 128


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
    rdrop_ctc_weight: Optional[float] = field(
        default=None,
        metadata={"help": "the same for CTC heads, as CR-CTC has it, 0 or more (default: --rdrop-weight)"},
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
        compares_views: whether two views of each example must agree.
        streams_with_transcripts: whose transcripts the source CTC learns, if the model has one.

    Raises:
        OptionError: a weight is negative, NaN or infinite, or an option has another value than its default, and the
            model or the streams lack what it is of.
        ValueError: all weights are 0, or one is given for a head that the model lacks or that does not serve it.
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
        rdrop_ctc_weight: float | None,
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
        other_weights: dict[str, float | None]
        other_weights = {"mt": mt_weight, "rdrop": rdrop_weight, "consistency": consistency_weight}
        other_weights["rdrop_ctc"] = rdrop_ctc_weight
        for name, weight in (self.given_weights | other_weights).items():
            if weight is not None and not 0 <= weight < math.inf:
                raise OptionError(f"{name}_weight", f"must be 0 or more and finite, got {weight}")
        self.rdrop_weight = rdrop_weight
        self.rdrop_ctc_weight = rdrop_weight if rdrop_ctc_weight is None else rdrop_ctc_weight
        self._weights_ctc_views = rdrop_ctc_weight is not None
        self.compares_views = max(self.rdrop_weight, self.rdrop_ctc_weight) > 0
        self.consistency_weight = consistency_weight
        self.needs_text_twins = consistency_weight > 0
        has_text = "mt" in task.stream_names or not self.needs_text_twins
        self.stream_names = task.stream_names if has_text else [*task.stream_names, "mt"]
        if mt_weight != 1 and "mt" not in self.stream_names:
            raise OptionError("mt_weight", f"{mt_weight} has no effect with --streams {','.join(self.stream_names)}")
        self.stream_weights = {"st": 1.0, "mt": mt_weight}
        self.streams_with_transcripts = [] if source_ctc_weight == 0 else str(source_ctc_streams).split(",")
        self.source_ctc_streams = str(source_ctc_streams)
        self.sentence_avg = sentence_avg

    def forward(self, model: "HmstModel", sample: "Batch") -> tuple[Tensor, float, dict[str, Tensor | float]]:
        """Loss and sample size, both divided by LOSS_UNIT, and the sums that `reduce_metrics` logs.

        What depends on the batch alone, such as the sample size, is computed on the host; in training the host waits
        for nothing.
        """
        num_copies = 2 if model.training and self.compares_views else 1
        views = copies_of_batch(sample, num_copies)
        heads = self.head_losses(model(**views["net_input"]), views, measure_accuracy=not model.training)
        if not model.training and "source_ctc" in heads.distributions:
            heads.counts |= self._word_errors(heads)
        weights = self.head_weights(list(heads.losses))
        losses = torch.stack([weights[head] * heads.losses[head] for head in weights]).sum(0)  # (num_copies * B,)
        measures = {f"{head}_loss": values for head, values in heads.losses.items()} | heads.measures
        if num_copies > 1:
            measures["rdrop_loss"], of_ctc = divergence_of_copies(heads, weights)
            losses = losses + self.rdrop_weight * measures["rdrop_loss"]
            if self.rdrop_ctc_weight != self.rdrop_weight:
                losses = losses + (self.rdrop_ctc_weight - self.rdrop_weight) * of_ctc
        if model.training and self.consistency_weight > 0:
            measures["consistency_loss"] = divergence_of_twins(heads)
            losses = losses + self.consistency_weight * weights["attention"] * measures["consistency_loss"]
        # an example counts as one, however many copies of it there are
        loss = (self._weights(views, losses.dtype) / num_copies * losses).sum()
        has_loss = heads.has_loss(weights)
        counts = heads.counts | {"tokens": has_loss * heads.num_tokens, "ntokens": heads.num_tokens}
        counted = has_loss if self.sentence_avg else counts["tokens"]
        sample_size = float((self._weights(heads.on_host, torch.float64) / num_copies * counted).sum())
        logging_output: dict[str, Tensor | float] = {
            "loss": loss.detach(),
            "ntokens": sample["ntokens"],
            "nsentences": sample["nsentences"],
            "sample_size": sample_size,
            **sums_by_stream(measures | {"loss": losses}, self._shares(views, num_copies, losses.dtype)),
        }
        of_host = sums_by_stream(counts, self._shares(heads.on_host, num_copies, torch.float64))
        logging_output |= {name: float(value) for name, value in of_host.items()}
        logging_output.pop("mt_consistency_loss", None)  # it is the speech that has a twin
        return loss / LOSS_UNIT, sample_size / LOSS_UNIT, logging_output

    def head_losses(self, output: "ModelOutput", sample: "Batch", measure_accuracy: bool) -> HeadLosses:
        """Losses of every head in `output`."""
        heads = HeadLosses(output, sample, self.padding_idx)
        if output.attention_logits is not None:
            heads.add_attention(output.attention_logits, self.label_smoothing, measure_accuracy)
        if output.transducer is not None:
            heads.add_transducer(output.transducer)
        if output.ctc_logits is not None:
            heads.add_ctc(output.ctc_logits)
        if output.source_ctc_logits is not None:
            heads.add_source_ctc(output.source_ctc_logits, self._transcripts(sample), self._transcripts(heads.on_host))
        return heads

    def _transcripts(self, batch: "Batch") -> Transcripts:
        learns = [name in self.source_ctc_streams.split(",") for name in self.task.ALL_STREAMS]
        chosen = (batch["transcript_lengths"] >= 0) & by_stream(batch["stream"], learns, torch.bool)
        labels = self.task.data_bin.transcript_labels(batch["transcript"])
        return Transcripts(labels, batch["transcript_lengths"], chosen)

    def _word_errors(self, heads: HeadLosses) -> dict[str, Tensor]:
        text, batch = self.task.text, heads.on_host
        lengths = batch["transcript_lengths"].clamp(min=0)
        transcripts = [text.transcript(row[:length]) for row, length in zip(batch["transcript"], lengths, strict=True)]
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
        self._check_comparisons(weights)
        return {head: weight / total for head, weight in weights.items()}

    def _check_comparisons(self, weights: Mapping[str, float]) -> None:
        """Refuse R-drop and consistency that the heads do not serve.

        Args:
            weights: of the model's heads.

        Raises:
            OptionError: an option compares what no head predicts, or heads of the weight 0 alone.
        """
        of_ctc = [head for head in weights if head in CTC_HEADS]
        of_attention = [head for head in weights if head == "attention"]
        compared = [("rdrop_weight", self.rdrop_weight, of_attention + ([] if self._weights_ctc_views else of_ctc))]
        if self._weights_ctc_views:
            compared.append(("rdrop_ctc_weight", self.rdrop_ctc_weight, of_ctc))
        compared.append(("consistency_weight", self.consistency_weight, of_attention))
        for option, weight, heads in compared:
            if weight > 0 and option != "consistency_weight" and "transducer" in weights:
                problem = (
                    "compares all that a head predicts, which a transducer never builds: it serves models that have "
                    "attention and CTC heads alone"
                )
            elif (weight > 0 or option == "rdrop_ctc_weight") and not any(weights[head] for head in heads):
                problem = f"{weight} has no effect: no head that it compares has a loss"
            else:
                continue
            there = ", ".join(f"{head} {weight:g}" for head, weight in weights.items())
            raise OptionError(option, f"{problem}; heads of this model and their weights: {there}")

    def _weights(self, batch: "Batch", dtype: torch.dtype) -> Tensor:
        """Weight of each example's stream, (B,)."""
        return by_stream(batch["stream"], [self.stream_weights[name] for name in self.task.ALL_STREAMS], dtype)

    def _shares(self, batch: "Batch", num_copies: int, dtype: torch.dtype) -> dict[str, Tensor]:
        """Share of each example (B,) in the sums of each stream that is logged."""
        shares = {}
        for stream in self.stream_names:
            of_stream = [float(name == stream) / num_copies for name in self.task.ALL_STREAMS]
            shares[stream] = by_stream(batch["stream"], of_stream, dtype)
        return shares

    @classmethod
    def reduce_metrics(cls, logging_outputs: list[dict[str, float]]) -> None:
        """Log the losses of all batches of an update; see `log_losses`."""
        log_losses(logging_outputs)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True
