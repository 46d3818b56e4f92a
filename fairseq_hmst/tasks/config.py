"""Options of the task."""

from dataclasses import dataclass, field
from typing import Optional, cast

from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.dataclass.configs import FairseqConfig
from omegaconf import II, MISSING, DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, InterpolationResolutionError

from preprocess.errors import OptionError

from ..bleu import AUTO, TOKENIZERS
from ..data.stream_rows import STREAM_NAMES
from ..generators.decodings import DECODINGS
from .prefixes.options import PrefixConfig
from .variation.options import VariationConfig


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
    decoding: ChoiceEnum(["auto", *DECODINGS]) = field(  # type: ignore[valid-type]
        default="auto", metadata={"help": "which head decodes; auto: the family's own"}
    )
    ctc_decode_weight: Optional[float] = field(
        default=None,
        metadata={
            "help": "weight of the CTC prefix score in --decoding joint, 0 (attention alone) to 1 (CTC alone); "
            "default: 0.3"
        },
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


@dataclass
class HmstTranslationConfig(VariationConfig, PrefixConfig, DecodedConfig):
    """Options of the task."""

    data: str = field(
        default=MISSING,
        metadata={
            "help": "data-bin made by `hmst preprocess`; or several, separated by colons, of one vocabulary: "
            "epoch n trains on the n-th in turn, and valid and test are those of the first"
        },
    )
    streams: str = field(default="st,mt", metadata={"help": "streams to train and validate on: st,mt or st or mt"})
    mt_passes: float = field(
        default=1.0,
        metadata={
            "help": "passes through the MT stream in an epoch, which is one pass through ST; 0 or more; the fractional "
            "part draws that share again in each epoch"
        },
    )
    seed: int = II("common.seed")
    tensorboard_logdir: Optional[str] = II("common.tensorboard_logdir")
    lm_path: Optional[str] = II("generation.lm_path")
    store_ema: bool = II("ema.store_ema")
    save_dir: Optional[str] = II("checkpoint.save_dir")
    no_save: bool = II("checkpoint.no_save")
    valid_subset: str = II("dataset.valid_subset")
    max_tokens: Optional[int] = II("dataset.max_tokens")


def _defaults_of_fairseq() -> dict[str, object]:
    """Defaults of the options that follow others of fairseq's."""
    defaults = OmegaConf.structured(FairseqConfig)
    references = {
        name: str(each.default).removeprefix("${").removesuffix("}")
        for name, each in HmstTranslationConfig.__dataclass_fields__.items()
        if str(each.default).startswith("${")
    }
    return {name: OmegaConf.select(defaults, other) for name, other in references.items()}


# Options that follow others of fairseq's, and their values where those are missing: in Python, or of a part of a
# checkpoint. Nothing is written to --save-dir there.
FOLLOWING = {**_defaults_of_fairseq(), "save_dir": None}
OF_EVAL_BLEU = ("eval_bleu_beam", "bleu_tokenizer", "decoding", "ctc_decode_weight")


def standalone(config: object) -> HmstTranslationConfig:
    """A copy of the task's options that needs no others of fairseq's.

    Args:
        config: of whatever has built a task: a HmstTranslationConfig, the group `task` of fairseq's configuration, or
            such a group by itself.
    """
    given = config if isinstance(config, DictConfig) else OmegaConf.structured(config)
    return cast(HmstTranslationConfig, OmegaConf.merge(given, {name: _value(given, name) for name in FOLLOWING}))


def _value(config: DictConfig, name: str) -> object:
    try:
        return config[name]
    except (ConfigKeyError, InterpolationResolutionError):  # no such option, or no such group
        return FOLLOWING[name]


def refuse_without_effect(config: HmstTranslationConfig) -> None:
    """Refuse options of a training that nothing follows.

    Raises:
        OptionError: an option of what --eval-bleu decodes differs from its default, without --eval-bleu.
    """
    for name in OF_EVAL_BLEU:
        value = getattr(config, name)
        if not config.eval_bleu and value != HmstTranslationConfig.__dataclass_fields__[name].default:
            raise OptionError(name, f"{value} has no effect on a training without --eval-bleu")
