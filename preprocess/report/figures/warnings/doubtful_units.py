"""Units that say little, as the card of the k-means names them."""

from collections.abc import Iterator, Sequence

from .warning import DataWarning, Inspected, NotChecked

EMPTY_KIND, NEAR_KIND = "empty_units", "near_equal_units"
UNITS_SHOWN = 20
ADVICE = "Make the k-means with fewer --clusters, or of more various audio; leave out rows of digital silence."


def check_doubtful_units(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Tell of units without frames, and of pairs that chance decides between."""
    kmeans = inspected.card.kmeans
    if kmeans is None:
        return  # `frames_per_cluster` says so
    if kmeans.doubtful is None:
        yield NotChecked(NEAR_KIND, "the k-means was made by a version that did not look")
        return
    empty, pairs = kmeans.doubtful.empty, kmeans.doubtful.near_equal
    if empty:
        text = f"No frame of the k-means fell to {len(empty):,} of {kmeans.clusters:,} units: {_name(empty)}."
        yield DataWarning(EMPTY_KIND, text, ADVICE, len(empty))
    if pairs:
        named = _name([f"{one} and {other}" for one, other in pairs])
        text = f"{len(pairs):,} pairs of units have nearly equal centroids, so that chance decides: {named}."
        yield DataWarning(NEAR_KIND, text, ADVICE, len(pairs))


def _name(items: Sequence[object]) -> str:
    others = len(items) - UNITS_SHOWN
    return ", ".join(map(str, items[:UNITS_SHOWN])) + (f" and {others} more" if others > 0 else "")
