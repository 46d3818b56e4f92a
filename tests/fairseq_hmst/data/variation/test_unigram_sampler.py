"""Sampled pieces against all segmentations that SentencePiece itself lists, and the same draws in every process."""

import io
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import sentencepiece

from fairseq_hmst.data.flat_rows import FlatRows
from fairseq_hmst.data.variation import unigram_sampler
from fairseq_hmst.data.variation.unigram_sampler import UnigramSampler

TEXTS = ["low lower lowest", "new newer newest", "low new", "wide wider widest low", "slow slower"] * 20
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
UNKNOWN = 3


def train(kind: str = "unigram") -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model, vocab_size=24, model_type=kind, minloglevel=2
    )
    return model.getvalue()


@pytest.fixture(scope="module")
def model():
    return sentencepiece.SentencePieceProcessor(model_proto=train())


@pytest.fixture(scope="module")
def symbols(model):
    """A dictionary whose ids are not those of the model."""
    return [*SPECIAL, *(model.id_to_piece(number) for number in reversed(range(3, len(model))))]


def rows_of(model, symbols, texts):
    ids = {symbol: number for number, symbol in enumerate(symbols)}
    pieces = (model.encode(text, out_type=str) for text in texts)
    return FlatRows.of([np.array([ids.get(piece, UNKNOWN) for piece in row]) for row in pieces])


def spelled(symbols, rows):
    return ["".join(symbols[token] for token in rows[row].tolist()) for row in range(len(rows))]


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_segmentations_have_the_probabilities_of_the_model(model, symbols, alpha):
    number = 6000
    rows = rows_of(model, symbols, ["newest lower"] * number)
    sampled = UnigramSampler(model, symbols, alpha).sample(rows, np.random.default_rng(0))
    counts = Counter(tuple(symbols[token] for token in sampled[row].tolist()) for row in range(number))
    listed = model.nbest_encode("newest lower", nbest_size=500, out_type=str)
    scores = {tuple(pieces): sum(model.get_score(model.piece_to_id(piece)) for piece in pieces) for pieces in listed}
    weights = {pieces: np.exp(alpha * score) for pieces, score in scores.items()}
    assert 4 < len(weights) < 500
    assert counts.keys() <= weights.keys()
    for pieces, weight in weights.items():
        share = weight / sum(weights.values())
        assert counts[pieces] / number == pytest.approx(share, abs=4 * np.sqrt(share / number) + 1e-3)


def test_the_text_stays_and_rows_and_seeds_differ(model, symbols):
    sampler, rows = UnigramSampler(model, symbols, 0.3), rows_of(model, symbols, TEXTS)
    found = [sampler.sample(rows, np.random.default_rng(seed)) for seed in (1, 2, 1)]
    for sampled in found:
        assert spelled(symbols, sampled) == spelled(symbols, rows)
    assert found[0].tokens.tolist() == found[2].tokens.tolist() != found[1].tokens.tolist()
    assert len({tuple(found[0][row].tolist()) for row in range(0, 100, 5)}) > 1  # rows of the same text


def test_many_small_chunks_draw_as_one_does(model, symbols, monkeypatch):
    rows = rows_of(model, symbols, TEXTS[:5] * 200)
    sizes = UnigramSampler(model, symbols, 0.1).sample(rows, np.random.default_rng(0)).sizes
    monkeypatch.setattr(unigram_sampler, "CHUNK_CELLS", 300)
    small = UnigramSampler(model, symbols, 0.1).sample(rows, np.random.default_rng(0))
    assert spelled(symbols, small) == spelled(symbols, rows)
    for text in range(5):
        assert small.sizes[text::5].mean() == pytest.approx(sizes[text::5].mean(), rel=0.05)


def test_a_draw_is_the_same_in_another_process(model, symbols, tmp_path):
    rows = rows_of(model, symbols, TEXTS)
    (tmp_path / "pieces.model").write_bytes(model.serialized_model_proto())
    code = """
import sys, numpy as np, sentencepiece
from fairseq_hmst.data.flat_rows import FlatRows
from fairseq_hmst.data.variation.unigram_sampler import UnigramSampler
model = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
symbols = ["<s>", "<pad>", "</s>", "<unk>", *(model.id_to_piece(number) for number in reversed(range(3, len(model))))]
ids = {symbol: number for number, symbol in enumerate(symbols)}
texts = sys.argv[2].split(",")
rows = FlatRows.of([np.array([ids[piece] for piece in model.encode(text, out_type=str)]) for text in texts])
print(*UnigramSampler(model, symbols, 0.3).sample(rows, np.random.default_rng(5)).tokens)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "pieces.model"), ",".join(TEXTS)]
    other = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    here = UnigramSampler(model, symbols, 0.3).sample(rows, np.random.default_rng(5)).tokens
    assert [int(token) for token in other] == here.tolist()


def test_long_rows_have_the_pieces_of_short_ones(model, symbols):
    """Weights of thousands of characters would vanish, and those beside them too."""
    sampler = UnigramSampler(model, symbols, 1.0)
    short, long = (
        rows_of(model, symbols, ["low newest"] * 2000),
        rows_of(model, symbols, [" ".join(["low newest"] * 2000)]),
    )
    drawn = [sampler.sample(rows, np.random.default_rng(0)) for rows in (short, long, rows_of(model, symbols, ["low"]))]
    assert spelled(symbols, drawn[1]) == spelled(symbols, long)
    shares = [np.bincount(rows.tokens, minlength=len(symbols)) / len(rows.tokens) for rows in drawn[:2]]
    assert shares[1] == pytest.approx(shares[0], abs=0.02)


def test_what_is_no_piece_stays_in_its_place(model, symbols):
    rows = rows_of(model, symbols, ["low ÿ new", ""])
    assert UNKNOWN in rows[0]
    found = set()
    for seed in range(10):
        sampled = UnigramSampler(model, symbols, 0.1).sample(rows, np.random.default_rng(seed))
        assert spelled(symbols, sampled) == spelled(symbols, rows)
        assert sampled[0].tolist().count(UNKNOWN) == 1
        found.add(tuple(sampled[0].tolist()))
    assert len(found) > 1


def test_a_piece_that_the_dictionary_lacks_is_never_drawn(model, symbols):
    rows = rows_of(model, symbols, TEXTS)
    sampler = UnigramSampler(model, symbols, 0.05)
    drawn = sampler.sample(rows, np.random.default_rng(0))
    kept = set(rows.tokens.tolist())
    extra = next(token for token in drawn.tokens.tolist() if token not in kept)
    without = [symbol if number != extra else "<other>" for number, symbol in enumerate(symbols)]
    sampled = UnigramSampler(model, without, 0.05).sample(rows, np.random.default_rng(0))
    assert extra not in sampled.tokens
    assert spelled(without, sampled) == spelled(symbols, rows)


def test_no_rows_and_models_of_another_kind(model, symbols):
    assert len(UnigramSampler(model, symbols, 0.1).sample(FlatRows.of([]), np.random.default_rng(0))) == 0
    other = sentencepiece.SentencePieceProcessor(model_proto=train("bpe"))
    with pytest.raises(ValueError, match="is no unigram model of SentencePiece"):
        UnigramSampler(other, symbols, 0.1)


def test_a_model_without_merges_is_refused(model, symbols):
    characters = [symbol if len(symbol) == 1 else "<other>" for symbol in symbols]
    with pytest.raises(ValueError, match="no piece of two characters or more"):
        UnigramSampler(model, characters, 0.1)
