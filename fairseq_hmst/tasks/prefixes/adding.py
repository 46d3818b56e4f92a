"""Giving the speech stream of train the prefixes that --prefix-share asks for."""

from preprocess.errors import OptionError

from ...data.language_symbols import LanguageSymbolIds
from ...data.stream_rows import StreamRows, stream_named
from ...data.variation.prefixes import Cuts, Prefixes
from ..config import HmstTranslationConfig


def check_prefix_options(config: HmstTranslationConfig, needs_text_twins: bool) -> None:
    """Refuse options of prefixes that cannot be followed, or have no effect.

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
    if "st" not in config.streams.split(","):
        raise OptionError("prefix_share", f"{share} has no effect with --streams {config.streams}: it cuts speech")
    if needs_text_twins:
        raise OptionError("prefix_share", f"{share} does not go with --consistency-weight, whose text twins are whole")


def add_prefixes(streams: list[StreamRows], cuts: Cuts, share: float, language_symbols: LanguageSymbolIds) -> int:
    """Give the speech stream among `streams` prefixes of a share of its rows; the number of rows that can be cut."""
    speech = stream_named("st", streams)
    assert speech is not None  # as `check_prefix_options` has seen
    speech.variations = (Prefixes(cuts, share, language_symbols),)
    return int((cuts.counts > 0).sum())
