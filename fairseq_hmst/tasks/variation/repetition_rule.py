"""Rules of repetition, made of the lengths that speech has."""

from collections.abc import Sequence

import numpy as np

from ...data.data_bin import DataBin
from ...data.stream_rows import StreamRows
from ...data.variation.draws import Draws
from ...data.variation.flat_rows import inner_tokens
from ...data.variation.repetition import (
    MOST_DEVIATION,
    Durations,
    FixedRule,
    NormalRule,
    RepetitionRule,
    character_rule,
)


def make_rule(name: str, streams: Sequence[StreamRows], data_bin: DataBin) -> RepetitionRule:
    """A rule of repetition; the lengths that speech has are those of the training's examples with transcripts.

    Args:
        name: of the rule.
        streams: of data that `check_varied_data` has checked, with the variations that come before repetition.
        data_bin: of the streams.
    """
    repeat = data_bin.card.repeat
    if name == "fixed":
        return FixedRule(repeat)
    characters = characters_of_pieces(data_bin)
    (speech,) = (stream for stream in streams if stream.name == "st")
    assert speech.transcripts is not None  # as the card says
    transcripts = inner_tokens(speech.transcripts, 0, 1)
    is_known = transcripts.sizes > 0
    edges = sum(data_bin.language_symbols.source_edges)
    counts = type(transcripts)(characters[transcripts.tokens], transcripts.sizes).sums
    speech_lengths = np.asarray(speech.sources.sizes, dtype=np.int64) - edges
    durations = Durations(speech_lengths[is_known], transcripts.sizes[is_known].astype(np.int64), counts[is_known])
    if name == "normal":
        return NormalRule(repeat, repeat * min(durations.deviation, MOST_DEVIATION))
    text = next((stream for stream in streams if stream.name == "mt"), speech)
    repeated = text.of_epoch(Draws(seed=0, epoch=0)).transcripts  # with pieces such as an epoch has
    assert repeated is not None
    frequencies = np.bincount(inner_tokens(repeated, 0, 1).tokens, minlength=len(characters))
    return character_rule(durations, characters, frequencies, repeat)


def characters_of_pieces(data_bin: DataBin) -> np.ndarray:
    """Characters of each piece of the input dictionary, (V,) int64, 1 of special symbols."""
    dictionary = data_bin.source_dictionary
    lengths = [1 if number < dictionary.nspecial else len(piece) for number, piece in enumerate(dictionary.symbols)]
    return np.array(lengths, dtype=np.int64)
