"""Rows that keep their pieces, and what both views have in common, with samplers whose draws are known."""

import numpy as np
import pytest
from token_rows import rows_of

from fairseq_hmst.data.flat_rows import FlatRows
from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.data.stream_rows import StreamRows
from fairseq_hmst.data.twins import RepeatedText, TextTwins
from fairseq_hmst.data.variation.draws import Draws
from fairseq_hmst.data.variation.segmentation import Segmentation

SYMBOLS = LanguageSymbolIds(2)


class Rows:
    """A sampler that always gives the same rows."""

    def __init__(self, *rows):
        self.rows = FlatRows.of([np.array(row, dtype=int) for row in rows])

    def sample(self, rows, generator):
        assert len(rows) == len(self.rows)
        return self.rows


class Coin:
    """A sampler that puts one of two tokens in the place of each."""

    def sample(self, rows, generator):
        return FlatRows(generator.integers(50, 52, size=len(rows.tokens)), rows.sizes)


def lists(rows):
    return [rows[row].tolist() for row in range(len(rows))]


def of_epoch(stream, view=0, **samplers):
    return Segmentation(samplers, SYMBOLS).of_epoch(stream, Draws(1, 1, view))


SOURCES, TARGETS = rows_of([10, 11, 12, 13, 2], [10, 11, 2]), rows_of([5, 5, 6, 2], [7, 2])


def test_units_stay_where_others_leave_ctc_no_path_or_are_longer_than_the_longest():
    stream = StreamRows("st", SOURCES, TARGETS)  # the first needs 4 steps, one of which eos is
    for drawn, expected in {
        ((20, 21, 22), (20,)): [[20, 21, 22, 2], [20, 2]],
        ((20, 21), (20,)): [[10, 11, 12, 13, 2], [20, 2]],
        ((20, 21, 22, 23, 24), (20, 21, 22, 23)): [[10, 11, 12, 13, 2], [20, 21, 22, 23, 2]],
        ((20, 21, 22, 23), (20, 21, 22, 23, 24)): [[20, 21, 22, 23, 2], [10, 11, 2]],
    }.items():
        found = of_epoch(stream, units=Rows(*drawn))
        assert lists(found.sources) == expected
        assert lists(found.targets) == lists(TARGETS)


def test_a_row_that_no_training_takes_is_no_measure_of_others():
    stream = StreamRows("st", SOURCES, TARGETS, max_lengths=(3, 10))
    found = of_epoch(stream, units=Rows((20, 21, 22, 23), (20, 21, 22)))
    assert lists(found.sources) == lists(SOURCES)  # the second would be of four tokens
    stream = StreamRows("st", SOURCES, TARGETS, max_lengths=(10, 3))
    assert lists(of_epoch(stream, target=Rows((5, 5, 6), (7, 8, 9))).targets) == lists(TARGETS)


def test_targets_stay_where_others_are_longer_than_their_source_allows_or_than_the_longest():
    stream = StreamRows("st", SOURCES, TARGETS)
    assert lists(of_epoch(stream, target=Rows([8, 9, 8], [8, 9, 8])).targets) == [[8, 9, 8, 2], [8, 9, 8, 2]]
    assert lists(of_epoch(stream, target=Rows([8, 8, 8], [8, 8, 9])).targets) == [[8, 8, 8, 2], [7, 2]]
    assert lists(of_epoch(stream, target=Rows([8, 9, 8, 9], [8])).targets) == [[5, 5, 6, 2], [8, 2]]


@pytest.mark.parametrize("view", [0, 1])
def test_only_rows_that_an_epoch_uses_are_drawn(view):
    texts, targets = rows_of(*([30, 2] for _ in range(4))), rows_of(*([5, 2] for _ in range(4)))
    sources = rows_of(*([10, 11, 12, 2] for _ in range(4)))
    stream = StreamRows("st", sources, targets, texts, used=np.array([1, 3]))
    found = of_epoch(stream, view, units=Rows([20, 21], [22]), source=Rows([40], [41]), target=Rows([8], [9]))
    assert lists(found.sources) == [[10, 11, 12, 2], [20, 21, 2], [10, 11, 12, 2], [22, 2]]
    assert lists(found.targets) == [[5, 2], [8, 2], [5, 2], [9, 2]]
    assert lists(found.transcripts) == [[30, 2], [40, 2], [30, 2], [41, 2]]


@pytest.mark.parametrize("is_twin", [False, True])
def test_text_stays_where_another_is_too_long_or_leaves_ctc_no_path(is_twin):
    texts, targets = rows_of([30, 31, 2], [32, 2]), rows_of([5, 5, 6, 2], [7, 8, 2])  # the first needs 4 steps
    repeated = RepeatedText(SOURCES, texts, 2, SYMBOLS)
    stream = StreamRows("mt", repeated, targets, texts)
    if is_twin:
        stream = StreamRows("st", rows_of([9] * 12 + [2], [9] * 12 + [2]), targets, texts, twins=TextTwins(repeated))
    for drawn, expected in {
        ((40, 41), (42, 43)): [[40, 40, 41, 41, 2], [42, 42, 43, 43, 2]],
        ((40,), (42,)): [[30, 30, 31, 31, 2], [42, 42, 2]],
        ((40, 41, 42), (43,)): [[30, 30, 31, 31, 2], [43, 43, 2]],
    }.items():
        found = of_epoch(stream, source=Rows(*drawn))
        assert lists(found.twins if is_twin else found.sources) == expected


def test_both_views_have_the_same_labels_and_inputs_of_their_own():
    texts = rows_of([30] * 40 + [2])
    sources, targets = rows_of([10] * 90 + [2]), rows_of([5, 6] * 20 + [2])
    twins = TextTwins(RepeatedText(sources, texts, 4, SYMBOLS))
    speech = StreamRows("st", sources, targets, texts, twins=twins)
    text = StreamRows("mt", RepeatedText(sources, texts, 4, SYMBOLS), targets, texts)
    samplers = {"units": Coin(), "source": Coin(), "target": Coin()}
    for stream in (speech, text):
        first, second = (of_epoch(stream, view, **samplers) for view in (0, 1))
        assert lists(first.targets) == lists(second.targets) != lists(targets)
        assert lists(first.transcripts) == lists(second.transcripts) != lists(texts)
        assert lists(first.sources) != lists(second.sources)
    second = of_epoch(speech, 1, **samplers)
    assert second.sources[0][:40].tolist() != second.twins[0][:160:4].tolist()  # drawn apart from each other
    first, second = (of_epoch(speech, view, **samplers).twins for view in (0, 1))
    assert lists(first) != lists(second)
    assert first[0][:-1:4].tolist() == of_epoch(speech, 0, **samplers).transcripts[0][:-1].tolist()
