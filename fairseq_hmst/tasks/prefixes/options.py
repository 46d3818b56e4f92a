"""Options of prefixes, and their checks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

from fairseq.dataclass import FairseqDataclass

from preprocess.errors import OptionError


@dataclass
class PrefixConfig(FairseqDataclass):
    """Options that show beginnings of the examples of train; off by default."""

    prefix_share: float = field(
        default=0.0,
        metadata={
            "help": "share of the ST rows, 0 to below 1, that are prefixes of themselves in each epoch: source and "
            "translation cut at one place, others in each epoch; for live translation. Needs --prefix-alignment"
        },
    )
    prefix_alignment: Optional[str] = field(
        default=None,
        metadata={
            "help": "checkpoint of a trained model of the same vocabulary, whose alignment (of CTC, else transducer, "
            "else attention) says where --prefix-share may cut"
        },
    )


def check_prefix_options(config: PrefixConfig, streams: Sequence[str], needs_text_twins: bool) -> None:
    """Refuse options of prefixes that cannot be followed, or have no effect.

    Args:
        config: options of the task.
        streams: that are trained on.
        needs_text_twins: whether the criterion compares speech with text twins.

    Raises:
        OptionError: the share is out of range; it is given without a model that aligns, or the other way round; there
            is no speech, or it has text twins.
    """
    share, model = config.prefix_share, config.prefix_alignment
    if not 0 <= share < 1:
        raise OptionError("prefix_share", f"must lie in [0, 1), got {share}")
    if share == 0:
        if model is not None:
            raise OptionError("prefix_alignment", f"{model} has no effect without --prefix-share")
        return
    if model is None:
        raise OptionError("prefix_share", f"{share} needs --prefix-alignment, a trained model that says where to cut")
    if "st" not in streams:
        raise OptionError("prefix_share", f"{share} has no effect with --streams {','.join(streams)}: it cuts speech")
    if needs_text_twins:
        raise OptionError("prefix_share", f"{share} does not go with --consistency-weight, whose text twins are whole")
