"""Checks of the options of a training that need neither its data nor its model."""

import math
from collections.abc import Sequence

from preprocess.errors import OptionError

from ...data.stream_rows import STREAM_NAMES
from ..config import HmstTranslationConfig, refuse_without_effect
from ..prefixes.options import check_prefix_options
from ..variation.options import Learned, check_variation_options


def check_training_options(
    config: HmstTranslationConfig, needs_text_twins: bool, compares_views: bool, learns_transcripts: bool
) -> None:
    """Refuse options that are out of range, cannot be followed or have no effect.

    Args:
        config: options of the task, or fairseq's namespace that has them.
        needs_text_twins: whether the criterion compares speech with text twins.
        compares_views: whether it compares two views of each example.
        learns_transcripts: whether a head learns the transcripts of speech.

    Raises:
        OptionError: an option is at fault.
    """
    check_streams(config)
    refuse_without_effect(config)
    for subset in (config.valid_subset or "").split(","):
        if subset.startswith("train"):
            raise OptionError(
                "valid_subset",
                f"names {subset}, which is trained on, and validation would begin its epoch anew; `fairseq-validate` "
                "scores a checkpoint on it",
            )
    streams = config.streams.split(",")
    if needs_text_twins and "st" not in streams:
        raise OptionError(
            "consistency_weight", f"compares speech with its transcript, and --streams is {config.streams}; add st"
        )
    check_prefix_options(config, streams, needs_text_twins)
    has_text = ("mt" in streams and config.mt_passes > 0) or needs_text_twins
    has_speech = "st" in streams
    learned = Learned(has_speech, has_text, has_text or (has_speech and learns_transcripts), compares_views)
    check_variation_options(config, learned)


def check_streams(config: HmstTranslationConfig) -> None:
    """Refuse streams that there are not, and passes through text that is not trained on.

    Raises:
        OptionError: --streams names something else than st and mt, or --mt-passes is no number of passes or has no
            effect.
    """
    streams = config.streams.split(",")
    if not set(streams) <= set(STREAM_NAMES) or len(set(streams)) < len(streams):
        raise OptionError("streams", f"must be st,mt or st or mt, got '{config.streams}'")
    if not 0 <= config.mt_passes < math.inf:
        raise OptionError("mt_passes", f"must be 0 or more and finite, got {config.mt_passes}")
    if config.mt_passes != 1 and len(streams) < 2:
        raise OptionError("mt_passes", f"{config.mt_passes} has no effect with --streams {config.streams}")


def check_heads(criterion: str, heads: Sequence[str]) -> None:
    """Refuse heads that a criterion of fairseq does not train.

    Args:
        criterion: its name; it trains an attention decoder alone.
        heads: of the model.

    Raises:
        OptionError: there are others.
    """
    others = [head for head in heads if head != "attention"]
    if others:
        raise OptionError(
            "criterion",
            f"{criterion} trains an attention decoder alone, but the model has: {', '.join(others)}; give hmst_joint, "
            "which trains every head",
        )
