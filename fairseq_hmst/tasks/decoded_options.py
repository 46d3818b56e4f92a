"""Options of the task about what is decoded, its scores, and the best checkpoint."""

from dataclasses import dataclass, field
from typing import Optional

from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from omegaconf import II

from ..bleu import AUTO, TOKENIZERS
from ..data.streams import STREAM_NAMES


@dataclass
class DecodedConfig(FairseqDataclass):
    """Options of what is decoded, and of its scores."""

    eval_stream: ChoiceEnum(STREAM_NAMES) = field(  # type: ignore[valid-type]
        default="st", metadata={"help": "stream that is decoded: by fairseq-generate, -interactive and --eval-bleu"}
    )
    source_language: Optional[str] = field(
        default=None,
        metadata={"help": "language of input without targets (fairseq-interactive), where sources name one of several"},
    )
    target_language: Optional[str] = field(
        default=None,
        metadata={"help": "language to translate input without targets into, where the data-bin has several"},
    )
    eval_bleu: bool = field(
        default=False,
        metadata={"help": "decode in validation as well: BLEU (sacreBLEU) and chrF of every stream, three samples"},
    )
    eval_bleu_beam: int = field(default=1, metadata={"help": "beam of --eval-bleu"})
    bleu_tokenizer: ChoiceEnum(TOKENIZERS) = field(  # type: ignore[valid-type]
        default=AUTO,
        metadata={
            "help": "sacreBLEU's tokenizer for BLEU, in validation and fairseq-generate; auto: that of each target "
            "language"
        },
    )
    best_checkpoint_metric: str = II("checkpoint.best_checkpoint_metric")
    maximize_best_checkpoint_metric: bool = II("checkpoint.maximize_best_checkpoint_metric")
