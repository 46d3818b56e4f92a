"""Translations put together of stretches of recordings with their units, or of lines of text."""

import itertools
from collections.abc import Callable, Iterator, Sequence

from ..tasks.input_languages import InputLanguages
from .decoder import Decoded, Decoder
from .errors import TranslationError
from .recordings.recording import Recording, Stretch
from .results import Segment, Times, Translation


def translate_recordings(
    recordings: Sequence[Recording], decoder: Decoder, on_done: Callable[[float], None]
) -> list[Translation]:
    """Translations of recordings, in order.

    Args:
        recordings: with stretches that have units; those with a fault get no segments.
        decoder: translates units.
        on_done: called with the seconds of speech that were translated.
    """
    spoken = [stretch for recording in recordings if not recording.fault for stretch in recording.stretches]
    found = decoder.decode(
        [" ".join(map(str, stretch.units)) for stretch in spoken],
        "st",
        [stretch.recording.languages for stretch in spoken],
        lambda rows: on_done(sum(spoken[row].seconds for row in rows)),
    )
    results = iter(found)
    return [
        Translation(recording.source, fault=recording.fault)
        if recording.fault
        else _spoken(recording, list(itertools.islice(results, len(recording.stretches))))
        for recording in recordings
    ]


def translate_lines(lines: Sequence[str], languages: InputLanguages, decoder: Decoder) -> list[Translation]:
    """Translations of lines of source text, in order; an empty line has no segment."""
    rows = [row for row, line in enumerate(lines) if line]
    found = decoder.decode([lines[row] for row in rows], "mt", [languages] * len(rows))
    results = dict(zip(rows, found, strict=True))
    return [_translation_of(line, results.get(row)) for row, line in enumerate(lines)]


def _translation_of(line: str, decoded: Decoded | TranslationError | None) -> Translation:
    if isinstance(decoded, TranslationError):
        return Translation(line, fault=decoded)
    return Translation(line, () if decoded is None else (_written_segment(decoded),))


def _spoken(recording: Recording, found: Sequence[Decoded | TranslationError]) -> Translation:
    """The translation of a recording, from what was found of its stretches."""
    segments = []
    for stretch, decoded in zip(recording.stretches, found, strict=True):
        if isinstance(decoded, TranslationError):
            return Translation(recording.source, fault=decoded)
        segments.append(_spoken_segment(stretch, decoded))
    return Translation(recording.source, tuple(segments))


def _spoken_segment(stretch: Stretch, decoded: Decoded) -> Segment:
    return Segment(
        start=round(stretch.offset, 3),
        end=round(stretch.offset + stretch.seconds, 3),
        nbest=decoded.nbest,
        transcript=decoded.transcript,
        units=stretch.units,
        unit_times=stretch.unit_times,
        source_tokens=decoded.source_tokens,
        source_times=tuple(_token_times(decoded.units_in_tokens, stretch.unit_times)),
    )


def _written_segment(decoded: Decoded) -> Segment:
    nothing = (None,) * len(decoded.source_tokens)
    return Segment(None, None, decoded.nbest, source_tokens=decoded.source_tokens, source_times=nothing)


def _token_times(units_in_tokens: Sequence[int], unit_times: Sequence[Times]) -> Iterator[Times | None]:
    """Begin and end of each token, from those of the units that it holds; None for what holds none."""
    position = 0
    for num_units in units_in_tokens:
        own = unit_times[position : position + num_units]
        yield (own[0][0], own[-1][1]) if own else None
        position += num_units
