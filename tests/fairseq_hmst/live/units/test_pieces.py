import itertools

import numpy as np
import pytest
import sentencepiece

from fairseq_hmst.live.units.pieces import settled_pieces
from preprocess.files.units import units_to_text
from preprocess.vocabulary.training import train_model

NUM_UNITS = 5


def load(model: bytes) -> sentencepiece.SentencePieceProcessor:
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(model)
    return processor


@pytest.fixture(scope="module")
def model() -> sentencepiece.SentencePieceProcessor:
    """Pieces of 1 to some characters; unit 5 is unknown, unit 6 a character that the lines have not."""
    random = np.random.default_rng(0)
    words = ["0123", "012", "34", "4", "2140", "13", "01234"]
    lines = [units_to_text(map(int, "".join(random.choice(words, 30)))) for _ in range(100)]
    return load(train_model(lines, 24, "unit pieces", is_text=False, alphabet=units_to_text([6])))


def shared_by_all(model: sentencepiece.SentencePieceProcessor, texts: list[str]) -> list[str]:
    encoded = model.encode(texts, out_type=str)
    shared = encoded[0]
    for pieces in encoded[1:]:
        shared = [
            one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(shared, pieces, strict=False))
        ]
    return shared


def test_the_model_has_longer_pieces_and_an_unknown_unit(model):
    assert max(len(model.id_to_piece(index)) for index in range(1, model.get_piece_size())) >= 4
    pieces = [units_to_text(units) for units in ([0], [5, 5], [1])]
    assert model.encode("".join(pieces), out_type=str) == pieces


@pytest.mark.parametrize("alphabet", [range(5), range(7)], ids=["known", "with-unknown"])
def test_no_continuation_changes_a_settled_piece(model, alphabet: range):
    """All continuations of up to three units, and long ones at random."""
    random = np.random.default_rng(1)
    short = ["".join(units) for n in range(4) for units in itertools.product(units_to_text(alphabet), repeat=n)]
    num_open = 0
    for _ in range(60):
        settled = units_to_text(random.choice(list(alphabet), random.integers(0, 15)))
        long = [units_to_text(random.choice(list(alphabet), 12)) for _ in range(40)]
        shared = shared_by_all(model, [settled + continuation for continuation in [*short, *long]])
        text = settled + long[0]
        pieces, num_settled = settled_pieces(model, text, len(settled))
        assert pieces == model.encode(text, out_type=str)
        assert pieces[:num_settled] == shared[:num_settled]
        num_open += len(shared) - num_settled
    assert num_open / 60 < 1  # what is handed on late for no reason


def test_settled_pieces_grow_and_stay(model):
    text = units_to_text(np.random.default_rng(2).integers(0, 5, 60))
    before: list[str] = []
    for num_settled in range(len(text) + 1):
        pieces, number = settled_pieces(model, text, num_settled)
        assert pieces[: len(before)] == before
        before = pieces[: max(number, len(before))]
    assert len("".join(before)) >= len(text) - 8


@pytest.mark.parametrize("text", ["", units_to_text([1])])
def test_nothing_settled(model, text: str):
    assert settled_pieces(model, text, 0) == (model.encode(text, out_type=str), 0)


def test_an_unknown_character_at_the_end_may_be_joined_with_the_next(model):
    text = units_to_text([4, 5, 5])
    assert settled_pieces(model, text, 2) == ([units_to_text([4]), units_to_text([5, 5])], 1)


def test_a_unit_that_begins_no_longer_piece_is_settled_at_once():
    lines = [units_to_text([0, 1, 2]), units_to_text([2, 1, 0])]
    single = load(train_model(lines, 3, "unit pieces", is_text=False))
    assert settled_pieces(single, units_to_text([0, 1, 0]), 2)[1] == 2
