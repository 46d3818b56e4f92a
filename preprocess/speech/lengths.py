"""Lengths of the audio of a manifest, without decoding: from the manifest, or else from the headers of files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import AudioError
from ..files.faults import Fault
from ..files.program.progress import count_progress
from .audio import LengthLimits, measure_audio
from .frames import AudioSpan
from .length_memory import LengthMemory


@dataclass(frozen=True)
class MeasuredSpan:
    """A span and its length.

    Attributes:
        span: the stretch of audio.
        seconds: at the speed of the span; 0 where it cannot be used.
        fault: why it cannot be used, as far as its length and the header of its file tell.
    """

    span: AudioSpan
    seconds: float
    fault: AudioError | None = None

    def as_faults(self) -> Iterator[Fault]:
        """The rows of a span that cannot be used."""
        if self.fault is not None:
            yield from (Fault(*row, str(self.fault)) for row in zip(self.span.ids, self.span.locations, strict=True))


def measure_spans(
    spans: Iterable[AudioSpan], limits: LengthLimits, memory: LengthMemory | None = None
) -> list[MeasuredSpan]:
    """Find lengths; a file is opened only where the manifest gives no duration, or one outside the limits.

    Args:
        spans: of a manifest.
        limits: of the encoder.
        memory: of lengths that were found before; None: there is none.
    """
    memory = memory or LengthMemory({}, None)
    return [_measure(span, limits, memory) for span in count_progress(spans, "measure audio", " utterances")]


def rows_outside(spans: Iterable[AudioSpan], limits: LengthLimits) -> list[Fault]:
    """Rows whose length an encoder refuses, or cannot be found.

    Args:
        spans: of the rows.
        limits: of the encoder; see `extractors.limits.read_limits`.
    """
    return [fault for item in measure_spans(spans, limits) for fault in item.as_faults()]


def _measure(span: AudioSpan, limits: LengthLimits, memory: LengthMemory) -> MeasuredSpan:
    if span.duration is not None and limits.contain(span.duration, span.speed):
        return MeasuredSpan(span, span.duration / span.speed)
    try:
        seconds = memory.get(span)
        if seconds is None:
            seconds = measure_audio(span.audio, span.offset, span.duration)
            memory.add(span, seconds)
        limits.check(seconds, span.audio, span.speed)
    except AudioError as error:
        return MeasuredSpan(span, 0.0, error)
    return MeasuredSpan(span, seconds / span.speed)
