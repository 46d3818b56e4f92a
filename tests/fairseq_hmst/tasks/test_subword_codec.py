"""From lines of units and of text to the pieces that a data-bin has of them."""

import pytest
from toy import NUM_UNITS

from fairseq_hmst.data.data_bin import DataBinError
from fairseq_hmst.tasks.subword_codec import SubwordCodec


def test_source_text_is_repeated_four_times(toy_task):
    pieces = SubwordCodec(toy_task.data_bin, "mt").encode("red cat").split()
    assert pieces[0] == pieces[3]
    assert len(pieces) % 4 == 0
    assert "".join(pieces[::4]).replace("▁", " ").strip() == "red cat"


def test_unit_lines_are_checked(toy_task):
    codec = SubwordCodec(toy_task.data_bin, "st")
    for line, wrong in (("1 2 x", "x"), ("1 63", "63"), ("-1", "-1")):
        with pytest.raises(DataBinError, match=f"expected unit ids in 0..62 separated by spaces, found '{wrong}'"):
            codec.encode(line)
    assert NUM_UNITS == 63
