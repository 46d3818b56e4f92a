"""WrittenText: what is added to the text of a stream, with pieces that change those before them."""

import pytest

from fairseq_hmst.live.open_segment import Passage
from fairseq_hmst.live.written_text import WrittenText


class JoinedPieces:
    """A data-bin whose pieces are those of SentencePiece; a tilde joins what is around it."""

    class target_dictionary:
        symbols = ("▁un", "▁deux", "s", "~", "▁.")

    @staticmethod
    def join_target(pieces):
        return "".join(pieces).replace("▁", " ").replace("~ ", "").strip()


@pytest.fixture
def written():
    return WrittenText(JoinedPieces)


def test_what_is_certain_is_taken_once_and_the_rest_is_open(written):
    written.show(Passage((0, 1, 2), 1))
    assert (written.take(), written.open) == ("un", " deuxs")
    written.show(Passage((0, 1, 2), 1))
    assert (written.take(), written.open) == ("", " deuxs")
    written.show(Passage((0, 1, 4), 2))
    assert (written.take(), written.open) == (" deux", " .")


def test_segments_are_parted_by_a_space_that_comes_with_text(written):
    written.end_segment(Passage((0,), 1))
    written.show(Passage((), 0))
    assert (written.take(), written.open) == ("un", "")
    written.show(Passage((1,), 0))
    assert (written.take(), written.open) == ("", " deux")
    written.end_segment(Passage((1, 2), 2))
    assert (written.take(), written.open) == (" deuxs", "")
    written.end_segment(Passage((), 0))
    written.end_segment(Passage((2,), 1))
    assert written.take() == " s"


def test_a_piece_whose_text_the_next_one_changes_is_written_with_that(written):
    written.show(Passage((0, 3), 2))
    assert (written.take(), written.open) == ("un~", "")
    written.end_segment(Passage((0, 3), 2))
    written.show(Passage((0, 3, 1), 2))
    assert (written.take(), written.open) == (" un", "deux")
    written.end_segment(Passage((0, 3, 1), 3))
    assert (written.take(), written.open) == ("deux", "")


def test_a_translation_that_is_shorter_than_what_was_written_takes_nothing_back(written):
    written.show(Passage((0, 1), 2))
    assert written.take() == "un deux"
    written.end_segment(Passage((0,), 1))
    assert (written.take(), written.open) == ("", "")
