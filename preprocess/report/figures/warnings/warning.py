"""The form of a warning, and what a check is given."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ....files.cards.data_bin_card import DataBinCard, SomeExamples
from ..measures import Measures

EXAMPLES_SHOWN = 5  # of each stream: enough to find the rows and to see what they have in common


@dataclass(frozen=True)
class WarnedExample:
    """One example that a warning is about.

    Attributes:
        split, stream, index: where it is.
        id: of the utterance, or FILE:LINE of external text.
        found: what is wrong with it; "" where the warning says all.
    """

    split: str
    stream: str
    index: int
    id: str
    found: str


@dataclass(frozen=True)
class DataWarning:
    """One warning.

    Attributes:
        kind: one word for programs.
        text: what was found, where, and how often.
        advice: what to do.
        count: examples, clusters or languages that it is about.
        examples: the first or the worst of them; empty where it is not about examples.
    """

    kind: str
    text: str
    advice: str
    count: int
    examples: tuple[WarnedExample, ...] = ()


@dataclass(frozen=True)
class NotChecked:
    """A check that could not be made, and why; `kind` is that of its warning."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Inspected:
    """All that a check is given.

    Attributes:
        card: of the data-bin.
        streams: all of them, in the order of the card.
    """

    card: DataBinCard
    streams: Sequence[Measures]

    @property
    def speech(self) -> list[Measures]:
        """The speech streams."""
        return [measures for measures in self.streams if measures.stream.name == "st"]

    @property
    def first_split(self) -> list[Measures]:
        """The streams of the first split, usually train."""
        return [measures for measures in self.streams if measures.stream.split == self.streams[0].stream.split]


Check = Callable[[Inspected], Iterator[DataWarning | NotChecked]]
Found = Sequence[tuple[Measures, Sequence[int] | np.ndarray]]  # streams, and indices of their examples


def warn_of_examples(
    kind: str, found: Found, text: str, advice: str, describe: Callable[[Measures, int], str]
) -> Iterator[DataWarning]:
    """Yield one warning of examples, or none where there are none.

    Args:
        kind: of the warning.
        found: streams, and indices of their examples, the first ones to be shown first.
        text: what is wrong with them, such as `Silent examples`; their numbers by stream are put behind it.
        advice: what to do.
        describe: says what is wrong with one.
    """
    some = [
        (measures, SomeExamples(len(indices), (*map(int, indices[:EXAMPLES_SHOWN]),))) for measures, indices in found
    ]
    yield from warn_of_some(kind, some, text, advice, describe)


def warn_of_some(
    kind: str,
    found: Sequence[tuple[Measures, SomeExamples]],
    text: str,
    advice: str,
    describe: Callable[[Measures, int], str],
) -> Iterator[DataWarning]:
    """Yield one warning of examples of which only the first are named, or none; see `warn_of_examples`."""
    total = sum(some.count for _, some in found)
    if total:
        places = ", ".join(
            f"{some.count:,} of {measures.stream.counts.examples:,} in {measures.name}"
            for measures, some in found
            if some.count
        )
        examples = [example for measures, some in found for example in _name(measures, some.first, describe)]
        yield DataWarning(kind, f"{text}: {places}.", advice, total, tuple(examples))


def _name(
    measures: Measures, indices: Sequence[int], describe: Callable[[Measures, int], str]
) -> Iterator[WarnedExample]:
    """The first EXAMPLES_SHOWN."""
    shown = indices[:EXAMPLES_SHOWN]
    stream = measures.stream
    for index, identifier in zip(shown, stream.ids(shown), strict=True):
        yield WarnedExample(stream.split, stream.name, index, identifier, describe(measures, index))
