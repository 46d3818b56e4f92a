"""Examples of one split that also stand in an earlier one: the same speech, or the same pair of texts."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from ..measures import Measures
from .warning import DataWarning, Inspected, NotChecked, warn_of_examples

SPEECH_KIND, TEXT_KIND = "duplicate_speech", "duplicate_text"
# Deduplicated units: less than half a second. So short a stretch may have the same units in two recordings.
MIN_UNITS = 10
ADVICE = (
    "Scores on them are too good, since the model has seen the answers. Leave them out of the earlier split, or of the "
    "later one."
)
Matches = dict[int, tuple[Measures, int]]  # index -> the stream of an earlier split, and the index there


def check_duplicates(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Compare speech with speech, and pairs of texts with pairs of texts, over all splits."""
    texts = [measures for measures in inspected.streams if measures.stream.name == "mt"]
    kinds = (
        (SPEECH_KIND, inspected.speech, f"the same units, {MIN_UNITS} or more"),
        (TEXT_KIND, texts, "the same source and target text"),
    )
    for kind, streams, alike in kinds:
        matches = {
            measures.name: _find_earlier(measures, streams[:position]) for position, measures in enumerate(streams)
        }
        yield from warn_of_examples(
            kind,
            [(measures, [*matches[measures.name]]) for measures in streams],
            f"Examples that also stand in an earlier split ({alike})",
            ADVICE,
            partial(_name_other, matches),
        )


def _find_earlier(measures: Measures, earlier: list[Measures]) -> Matches:
    """Examples that also stand in an earlier stream, each with the first place."""
    matches: Matches = {}
    digests, is_compared = _digests(measures)
    for other in earlier:
        other_digests, is_other_compared = _digests(other)
        for index, other_index in _first_matches(digests, is_compared, other_digests, is_other_compared).items():
            matches.setdefault(index, (other, other_index))
    return dict(sorted(matches.items()))


def _digests(measures: Measures) -> tuple[np.ndarray, np.ndarray]:
    """Digest of each example, (N,) uint64, and a mask of those that are compared."""
    source = measures.sides["source"]
    if measures.stream.name == "st":
        return source.digests, source.sizes >= MIN_UNITS
    # The multiplier is odd, so that no two sources become one; without it, a pair would equal its reverse.
    pairs = source.digests * np.uint64(0x9E3779B97F4A7C15) + measures.sides["target"].digests
    return pairs, np.ones(len(pairs), dtype=bool)


def _first_matches(
    digests: np.ndarray, is_compared: np.ndarray, other: np.ndarray, is_other_compared: np.ndarray
) -> dict[int, int]:
    """Index of the first equal one in `other`, by index of `digests`; only `digests`, usually the few, are sorted."""
    wanted = np.unique(digests[is_compared])
    if not len(wanted):
        return {}
    nearest = wanted[np.searchsorted(wanted, other).clip(max=len(wanted) - 1)]
    first: dict[int, int] = {}
    for index in np.flatnonzero((nearest == other) & is_other_compared).tolist():
        first.setdefault(int(other[index]), index)
    compared = np.flatnonzero(is_compared).tolist()
    return {index: first[int(digests[index])] for index in compared if int(digests[index]) in first}


def _name_other(matches: Mapping[str, Matches], measures: Measures, index: int) -> str:
    """Name of the example that one equals."""
    other, other_index = matches[measures.name][index]
    return f"equals {other.stream.ids([other_index])[0]} of {other.name}"
