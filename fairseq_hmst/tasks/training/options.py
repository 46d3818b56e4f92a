"""Checks of the options of a training that need neither its data nor its model."""

from preprocess.errors import OptionError

from ..config import HmstTranslationConfig, refuse_without_effect
from ..prefixes.adding import check_prefix_options
from ..variation.options import Learned, check_variation_options


def check_training_options(
    config: HmstTranslationConfig, needs_text_twins: bool, compares_views: bool, learns_transcripts: bool
) -> None:
    """Refuse options that are out of range, cannot be followed or have no effect.

    Args:
        config: options of the task, or fairseq's namespace that has them.
        needs_text_twins: whether the criterion compares speech with text twins.
        compares_views: whether it compares two views of each example.
        learns_transcripts: whether the model has a head for transcripts.

    Raises:
        OptionError: an option is at fault.
    """
    refuse_without_effect(config)
    for subset in (config.valid_subset or "").split(","):
        if subset.startswith("train"):
            raise OptionError(
                "valid_subset",
                f"names {subset}, which is trained on, and validation would begin its epoch anew; `fairseq-validate` "
                "scores a checkpoint on it",
            )
    check_prefix_options(config, needs_text_twins)
    streams = config.streams.split(",")
    has_text = ("mt" in streams and config.mt_passes > 0) or needs_text_twins
    has_speech = "st" in streams
    learned = Learned(has_speech, has_text, has_text or (has_speech and learns_transcripts), compares_views)
    check_variation_options(config, learned)
