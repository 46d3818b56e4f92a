"""Speech whose channels cancel each other, as cards of units name it."""

from collections.abc import Iterator

from .warning import DataWarning, Inspected, NotChecked, warn_of_some

KIND = "cancelled_channels"


def check_cancelled_channels(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Tell of the examples whose average of channels is nearly silent."""
    counts = [(measures, measures.stream.counts.cancelled) for measures in inspected.speech]
    if any(cancelled is None for _, cancelled in counts):
        yield NotChecked(KIND, "units without card, or of a version that did not look, do not say it")
    yield from warn_of_some(
        KIND,
        [(measures, cancelled) for measures, cancelled in counts if cancelled is not None],
        "Examples whose channels cancel each other, so that their average, which was encoded, is nearly silent",
        "One channel is the other turned upside down: take one of them, such as by `sox IN OUT remix 1`, and make the "
        "units again.",
        lambda measures, index: "",
    )
