"""The common beginning of two sequences."""

from collections.abc import Sequence
from itertools import takewhile


def common_prefix_length(first: Sequence[object], second: Sequence[object]) -> int:
    """Leading items that are equal in both sequences."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
