"""Rows in one array against lists of rows."""

import numpy as np
from token_rows import rows_of

from fairseq_hmst.data.flat_rows import FlatRows, inner_tokens

ROWS = [[5, 6, 7, 2], [], [8, 2], [9, 9, 2]]


def flat(rows=ROWS):
    return FlatRows.of(np.array(row, dtype=np.int32) for row in rows)


def lists(rows):
    return [rows[row].tolist() for row in range(len(rows))]


def test_rows_are_those_that_were_gathered():
    rows = flat()
    assert lists(rows) == ROWS
    assert rows.sizes.tolist() == [4, 0, 2, 3]
    assert rows.sums.tolist() == [20, 0, 10, 20]
    assert FlatRows.of_rows(rows) is rows
    assert lists(FlatRows.of_rows(rows_of(*ROWS[2:]))) == ROWS[2:]
    assert lists(FlatRows.of([])) == []


def test_rows_are_taken_in_any_order_and_more_than_once():
    taken = flat().take(np.array([3, 1, 3, 0]))
    assert lists(taken) == [ROWS[3], ROWS[1], ROWS[3], ROWS[0]]
    assert lists(flat().take(np.array([3, 0]), 1, 1)) == [[9], [6, 7]]
    assert lists(flat().take(np.array([], dtype=int))) == []


def test_other_rows_take_places():
    changed = flat().with_rows(np.array([2, 1]), flat([[1, 1, 1], [3]]))
    assert lists(changed) == [ROWS[0], [3], [1, 1, 1], ROWS[3]]
    assert lists(flat().with_rows(np.array([], dtype=int), flat([]))) == ROWS


def test_inner_tokens_are_without_edges_whatever_the_rows():
    rows = [[4, 5, 6, 2], [4, 2]]
    for given in (flat(rows), rows_of(*rows)):
        assert lists(inner_tokens(given, 1, 1)) == [[5, 6], []]
