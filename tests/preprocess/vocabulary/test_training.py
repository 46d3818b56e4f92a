"""What bounds the memory of subword training."""

import random

import pytest
import sentencepiece

from preprocess.vocabulary import training as sentencepiece_training
from preprocess.vocabulary.training import train_model


@pytest.fixture
def lines():
    generator = random.Random(3)
    words = ["".join(generator.choices("abcdefgh", k=4)) for _ in range(60)]
    return [*(" ".join(generator.choices(words, k=5)) for _ in range(400)), "xyz"]


def pieces(model: bytes) -> list[str]:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [processor.id_to_piece(index) for index in range(processor.get_piece_size())]


def test_much_text_is_learned_from_a_sample_whose_pieces_hold_all_characters(lines, monkeypatch, caplog):
    monkeypatch.setattr(sentencepiece_training, "MAX_CHARACTERS", 3000)
    with caplog.at_level("INFO", logger="preprocess"):
        model = train_model(lines, 50, "text", is_text=True)
    drawn = int(caplog.text.split("learning from ")[1].split()[0])
    assert 0 < drawn < len(lines) / 2
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert all(processor.decode(processor.encode(line)) == line for line in lines)
    assert processor.unk_id() not in processor.encode("xyz")
    assert model == train_model(lines, 50, "text", is_text=True)


def test_text_within_the_bound_is_learned_from_whole(lines, monkeypatch):
    whole = train_model(lines, 50, "text", is_text=True)
    monkeypatch.setattr(sentencepiece_training, "MAX_CHARACTERS", sum(map(len, lines)))
    assert train_model(lines, 50, "text", is_text=True) == whole
    monkeypatch.setattr(sentencepiece_training, "MAX_CHARACTERS", 1000)
    assert pieces(train_model(lines, 50, "text", is_text=True)) != pieces(whole)
