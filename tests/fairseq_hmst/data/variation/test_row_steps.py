"""Steps of many rows at once against those of each."""

import numpy as np

from fairseq_hmst.data.flat_rows import FlatRows
from fairseq_hmst.data.variation.row_steps import steps_of_rows
from preprocess.files.tokens.ctc_steps import needed_for_ctc


def test_steps_of_rows_are_those_of_each_row_whatever_stands_before_it():
    generator = np.random.default_rng(0)
    rows = [generator.integers(0, 2, size=size) for size in (3, 0, 5, 1, 0, 0, 8, 4)] + [np.array([1, 1])]
    assert steps_of_rows(FlatRows.of(rows)).tolist() == [needed_for_ctc(row) for row in rows]
    assert steps_of_rows(FlatRows.of([])).tolist() == []
