"""Rows of a split, sorted: usable by every stage, left out by a filter, and at fault."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import PreprocessError
from ...files.faults import Fault
from ...files.manifest import Utterance, check_utterance, places_of
from ...files.program.progress import count_progress
from ...speech.audio import MAX_SECONDS, MIN_SECONDS, LengthLimits, measure_audio
from .filters import Filters
from .row import Row, location_of_row


@dataclass
class Selection:
    """Rows of a split: kept, filtered, and at fault."""

    kept: list[Utterance] = field(default_factory=list)
    seconds: float = 0.0  # of the kept rows' speech
    filtered: list[Fault] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unmade: list[Fault] = field(default_factory=list)  # why the split, or its part in a pair of languages, is not there

    @property
    def num_rows(self) -> int:
        """Number of rows that the corpus has, as far as they can be counted."""
        return len(self.kept) + len(self.filtered) + len(self.faults)

    def filtered_counts(self) -> dict[str, int]:
        """Rows that were filtered, by reason, the most frequent first."""
        return dict(Counter(row.reason for row in self.filtered).most_common())


class SegmentLengths:
    """Lengths of segments, in seconds; the header of a file that holds many of them is read once."""

    def __init__(self) -> None:
        self._file_seconds: dict[Path, float] = {}

    def measure(self, audio: Path, offset: float, duration: float | None) -> float:
        """Length of one segment, however short or long.

        Raises:
            AudioError: see `measure_audio`.
        """
        if duration is None:
            return measure_audio(audio, offset)
        if audio not in self._file_seconds:
            self._file_seconds[audio] = measure_audio(audio)
        is_well_inside = offset >= 0 and offset + duration <= self._file_seconds[audio]
        if is_well_inside and 2 * MIN_SECONDS < duration < MAX_SECONDS - 1:
            return duration
        return measure_audio(audio, offset, duration)  # decides at the limits, and says what is wrong


def select_rows(split: str, rows: Sequence[Utterance], filters: Filters) -> Selection:
    """Sort the rows of a split.

    Args:
        split: its name.
        rows: all of them, unchecked.
        filters: of this split.
    """
    selection, lengths = Selection(), SegmentLengths()
    first_locations: dict[str, str] = {}
    for index, row in enumerate(count_progress(rows, f"check {split}", " rows")):
        location = location_of_row(row, split, index)
        if isinstance(row, Row) and row.fault is not None:
            found = selection.unmade if row.is_whole_split else selection.faults
            found.append(Fault.of(row.fault, row.id, location))
            continue
        # Before the checks: a row that is filtered out may have any fault.
        reason = (row.unusable if isinstance(row, Row) else "") or filters.reason(row, row.duration)
        seconds = None
        try:
            if not reason:
                check_utterance(row, location, first_locations)
                seconds = None if row.audio is None else lengths.measure(row.audio, row.offset, row.duration)
                reason = filters.reason(row, seconds)
            if not reason and row.audio is not None and seconds is not None:
                LengthLimits().check(seconds, row.audio)  # what a filter leaves out may have any length
        except PreprocessError as error:
            selection.faults.append(Fault.of(error.at(*places_of(row, location)), row.id, location))
            continue
        if reason:
            selection.filtered.append(Fault(row.id, location, reason))
            continue
        selection.kept.append(row)
        selection.seconds += seconds or 0.0
    return selection
