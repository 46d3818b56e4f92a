"""Giving the speech stream of train the prefixes that --prefix-share asks for."""

from ...data.language_symbols import LanguageSymbolIds
from ...data.stream_rows import StreamRows, stream_named
from ...data.variation.prefixes import Cuts, Prefixes


def add_prefixes(streams: list[StreamRows], cuts: Cuts, share: float, language_symbols: LanguageSymbolIds) -> int:
    """Give the speech stream among `streams` prefixes of a share of its rows; the number of rows that can be cut."""
    speech = stream_named("st", streams)
    assert speech is not None  # as `check_prefix_options` has seen
    speech.variations = (Prefixes(cuts, share, language_symbols),)
    return int((cuts.counts > 0).sum())
