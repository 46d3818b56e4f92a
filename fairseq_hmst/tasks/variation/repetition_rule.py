"""Rules of repetition, made of the lengths that speech has."""

from collections.abc import Sequence

import numpy as np

from ...data.data_bin import DataBin
from ...data.flat_rows import FlatRows, inner_tokens
from ...data.stream_rows import StreamRows, stream_named
from ...data.variation.draws import Draws
from ...data.variation.repetition import (
    MAX_COEFFICIENT_OF_VARIATION,
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
    speech = stream_named("st", streams)
    assert speech is not None and speech.transcripts is not None  # as the card says
    transcripts = inner_tokens(speech.transcripts, 0, 1)
    is_known = transcripts.sizes > 0
    counts = FlatRows(characters[transcripts.tokens], transcripts.sizes).sums
    speech_lengths = np.asarray(speech.sources.sizes, dtype=np.int64) - data_bin.language_symbols.num_source_edges
    durations = Durations(speech_lengths[is_known], transcripts.sizes[is_known].astype(np.int64), counts[is_known])
    if name == "normal":
        return NormalRule(repeat, repeat * min(durations.coefficient_of_variation, MAX_COEFFICIENT_OF_VARIATION))
    text = stream_named("mt", streams) or speech
    repeated = text.of_epoch(Draws(seed=0, epoch=0)).transcripts  # with pieces such as an epoch has
    assert repeated is not None
    frequencies = np.bincount(inner_tokens(repeated, 0, 1).tokens, minlength=len(characters))
    return character_rule(durations, characters, frequencies, repeat)


def characters_of_pieces(data_bin: DataBin) -> np.ndarray:
    """Characters of each piece of the input dictionary, (V,) int64, 1 of special symbols."""
    dictionary = data_bin.source_dictionary
    lengths = [1 if number < dictionary.nspecial else len(piece) for number, piece in enumerate(dictionary.symbols)]
    return np.array(lengths, dtype=np.int64)
