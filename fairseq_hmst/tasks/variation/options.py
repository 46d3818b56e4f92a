"""Options that vary the examples of a training, and their checks."""

from dataclasses import dataclass, field
from typing import Optional

from fairseq.dataclass import ChoiceEnum, FairseqDataclass

from preprocess.errors import OptionError

from ...data.variation.masks import FORMS
from ...data.variation.repetition import RULES
from ...data.variation.segmentation import SIDES

DEFAULT_ALPHA = 0.2
DEFAULT_SPANS = {"speech": 4.0, "text": 1.0}


@dataclass
class VariationConfig(FairseqDataclass):
    """Options that vary the examples of train; each is off by default."""

    sample_pieces: Optional[str] = field(
        default=None,
        metadata={
            "help": "what is cut into other pieces in each epoch, drawn by its SentencePiece unigram model: units, "
            "source (text), target, or several of them separated by commas"
        },
    )
    sampling_alpha: Optional[float] = field(
        default=None,
        metadata={
            "help": "power of the probabilities with which --sample-pieces draws, above 0 and at most 1; lower ones "
            "vary more (default: 0.2)"
        },
    )
    repeat_jitter: Optional[ChoiceEnum(RULES)] = field(  # type: ignore[valid-type]
        default=None,
        metadata={
            "help": "repeat tokens of text unevenly, others in each epoch, as often as ever on average; fixed: one "
            "repetition less, none or one more; normal: with the variance that speech has; characters: by the length "
            "of the piece, as speech does"
        },
    )
    join_share: float = field(
        default=0.0,
        metadata={
            "help": "share of the ST rows, 0 to below 1, that are followed by another row of the same speaker in each "
            "epoch, as one example"
        },
    )
    speech_mask_share: float = field(
        default=0.0,
        metadata={"help": "share of the tokens of speech, 0 to span / (span + 1), that the encoder does not see"},
    )
    speech_mask_span: Optional[float] = field(
        default=None, metadata={"help": "mean length of a masked stretch of speech in tokens, 1 or more (default: 4)"}
    )
    text_mask_share: float = field(
        default=0.0,
        metadata={
            "help": "share of the tokens of text, 0 to span / (span + 1), that the encoder does not see, with all "
            "repetitions"
        },
    )
    text_mask_span: Optional[float] = field(
        default=None,
        metadata={
            "help": "mean length of a masked stretch of text in tokens before repetition, 1 or more (default: 1)"
        },
    )
    mask_form: ChoiceEnum(FORMS) = field(  # type: ignore[valid-type]
        default="replace",
        metadata={
            "help": "what masking does to tokens: replace them by <mask>, or where the dictionary has none by <s>; "
            "drop them, as far as CTC still has a path"
        },
    )


@dataclass(frozen=True)
class Learned:
    """Kinds of examples that a training learns from.

    Attributes:
        has_speech: whether speech is trained on.
        has_text: whether text is, as a stream or as text twins.
        has_source_text: whether source text is, as input or as the transcripts that a head learns.
        has_views: whether two views of each example are compared step by step.
    """

    has_speech: bool
    has_text: bool
    has_source_text: bool
    has_views: bool


def check_variation_options(config: VariationConfig, learned: Learned) -> None:
    """Refuse options that are out of range, cannot be followed or have no effect.

    Raises:
        OptionError: an option is at fault.
    """
    sides, has_speech, has_text = sides_of(config), learned.has_speech, learned.has_text
    if not set(sides) <= set(SIDES) or len(set(sides)) < len(sides):
        raise OptionError(
            "sample_pieces",
            f"must name some of {', '.join(SIDES)}, each once, with nothing but a comma between two, got "
            f"'{config.sample_pieces}'",
        )
    if "units" in sides and not has_speech:
        raise OptionError("sample_pieces", "units has no effect without the stream st")
    if "source" in sides and not learned.has_source_text:
        raise OptionError("sample_pieces", "source has no effect: there is no text, and no head learns transcripts")
    alpha = config.sampling_alpha
    if alpha is not None and not sides:
        raise OptionError("sampling_alpha", f"{alpha} has no effect without --sample-pieces")
    if alpha is not None and not 0 < alpha <= 1:
        raise OptionError("sampling_alpha", f"must lie in (0, 1], got {alpha}")
    if config.repeat_jitter is not None and not has_text:
        raise OptionError("repeat_jitter", f"{config.repeat_jitter} has no effect without text")
    if config.repeat_jitter not in (None, "fixed") and not has_speech:
        raise OptionError(
            "repeat_jitter", f"{config.repeat_jitter} measures speech, and the training has none: add st, or give fixed"
        )
    if not 0 <= config.join_share < 1:
        raise OptionError("join_share", f"must lie in [0, 1), got {config.join_share}")
    if config.join_share > 0 and not has_speech:
        raise OptionError("join_share", f"{config.join_share} has no effect without the stream st: it joins speech")
    for kind, is_there in (("speech", has_speech), ("text", has_text)):
        _check_masks(config, kind, is_there)
    masks = config.speech_mask_share > 0 or config.text_mask_share > 0
    if config.mask_form != "replace" and not masks:
        raise OptionError("mask_form", f"{config.mask_form} has no effect without masks")
    if config.mask_form == "drop" and masks and learned.has_views:
        raise OptionError(
            "mask_form", "drop does not go with R-drop, which compares what both views say of the same token: replace"
        )


def check_repetition(config: VariationConfig, repeat: int, where: str) -> None:
    """Refuse jitter of text that is not repeated.

    Args:
        config: options of the task.
        repeat: times that text has each token.
        where: what says so.

    Raises:
        OptionError: text is not repeated.
    """
    if config.repeat_jitter is not None and repeat < 2:
        raise OptionError(
            "repeat_jitter", f"{config.repeat_jitter} needs text that is repeated: repeat of {where} is {repeat}"
        )


def sides_of(config: VariationConfig) -> list[str]:
    """Sides whose pieces are sampled."""
    return [] if config.sample_pieces is None else config.sample_pieces.split(",")


def mask_span(config: VariationConfig, kind: str) -> float:
    """Mean length of a masked stretch of `speech` or `text`."""
    span = getattr(config, f"{kind}_mask_span")
    return DEFAULT_SPANS[kind] if span is None else span


def _check_masks(config: VariationConfig, kind: str, is_there: bool) -> None:
    share, given = getattr(config, f"{kind}_mask_share"), getattr(config, f"{kind}_mask_span")
    name = f"{kind}_mask_share"
    if not 0 <= share < 1:
        raise OptionError(name, f"must lie in [0, 1), got {share}")
    if given is not None and share == 0:
        raise OptionError(f"{kind}_mask_span", f"{given} has no effect without --{kind}-mask-share")
    if share == 0:
        return
    if not is_there:
        raise OptionError(name, f"{share} has no effect: the training has no {kind}")
    span = mask_span(config, kind)
    if not 1 <= span < float("inf"):
        raise OptionError(f"{kind}_mask_span", f"must be 1 or more, got {span}")
    if share > (most := span / (span + 1)):
        raise OptionError(
            name,
            f"is at most {most:.2f} with stretches of {span:g} tokens, for a token is seen between two of them; got "
            f"{share}",
        )
