"""From stretches of recordings with their units, or from lines of text, to Translations."""

from collections.abc import Callable, Sequence

from .decoder import Decoded, Decoder, Languages
from .recording import Recording, Stretch
from .results import Segment, Translation


def translate_recordings(
    recordings: Sequence[Recording], stretches: Sequence[Stretch], decoder: Decoder, report: Callable[[float], None]
) -> list[Translation]:
    """Translations of recordings, in order.

    Args:
        recordings: those with a fault get no segments.
        stretches: all that are to be translated of them, with their units.
        decoder: translates units.
        report: called with the seconds of speech that were translated.
    """
    sources = {}
    for number, stretch in enumerate(stretches):
        if not stretch.recording.fault:
            sources[number] = decoder.encode(" ".join(map(str, stretch.units)), "st")
            stretch.recording.fault = decoder.fault(sources[number])
    numbers = [number for number in sources if not stretches[number].recording.fault]
    decoded = decoder.decode(
        [sources[number] for number in numbers],
        [stretches[number].recording.languages for number in numbers],
        lambda rows: report(sum(stretches[numbers[row]].seconds for row in rows)),
    )
    segments: dict[int, list[Segment]] = {id(recording): [] for recording in recordings}
    for number, found in zip(numbers, decoded, strict=True):
        segments[id(stretches[number].recording)].append(_segment(stretches[number], found, decoder))
    return [Translation(recording.source, tuple(segments[id(recording)]), recording.fault) for recording in recordings]


def translate_lines(lines: Sequence[str], languages: Languages, decoder: Decoder) -> list[Translation]:
    """Translations of lines of source text, in order; an empty line has no segment."""
    sources = [decoder.encode(line, "mt") for line in lines]
    faults = [decoder.fault(source) for source in sources]
    rows = [row for row, line in enumerate(lines) if line and not faults[row]]
    decoded = decoder.decode([sources[row] for row in rows], [languages] * len(rows))
    segments = {row: (_text_segment(found),) for row, found in zip(rows, decoded, strict=True)}
    return [Translation(line, segments.get(row, ()), faults[row]) for row, line in enumerate(lines)]


def _segment(stretch: Stretch, decoded: Decoded, decoder: Decoder) -> Segment:
    return Segment(
        start=round(stretch.offset, 3),
        end=round(stretch.offset + stretch.seconds, 3),
        nbest=decoded.nbest,
        transcript=decoded.transcript,
        units=stretch.units,
        unit_times=stretch.unit_times,
        source_tokens=decoded.source_tokens,
        source_times=decoder.source_times(decoded.source_tokens, stretch.unit_times),
    )


def _text_segment(decoded: Decoded) -> Segment:
    nothing = (None,) * len(decoded.source_tokens)
    return Segment(None, None, decoded.nbest, source_tokens=decoded.source_tokens, source_times=nothing)
