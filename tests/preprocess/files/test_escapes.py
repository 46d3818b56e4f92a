"""Escapes of what SentencePiece keeps for itself. Truth: the text itself, and SentencePiece."""

import sys
import unicodedata

import sentencepiece
from hypothesis import example, given
from hypothesis import strategies as st

from preprocess.files.escapes import MARK, RESERVED, STANDS_FOR, escape_text, unescape_text
from preprocess.files.text import normalise_text
from preprocess.vocabulary.training import train_model

SPECIAL = [*RESERVED, *STANDS_FOR, MARK]
ANY_TEXT = st.text(st.one_of(st.sampled_from(SPECIAL), st.characters()))


@given(ANY_TEXT)
@example(MARK + MARK + "\ufdd1")
def test_every_text_comes_back_and_its_escaped_form_holds_nothing_reserved(text: str):
    escaped = escape_text(text)
    assert not set(RESERVED) & set(escaped)
    assert unescape_text(escaped) == text
    assert unescape_text(escape_text(escaped)) == escaped


@given(st.text(st.characters(exclude_characters=SPECIAL)))
def test_text_without_such_characters_is_unchanged(text: str):
    assert escape_text(text) == text == unescape_text(text)


@given(ANY_TEXT)
def test_anything_that_a_model_writes_can_be_read(text: str):
    unescape_text(text)


def test_every_character_comes_back_from_training_encoding_and_decoding():
    astral = [0x10000, 0x1F600, 0x20000, 0xE0001, 0xE0100, 0x1FFFF, 0xF0000, 0x10FFFD, sys.maxunicode]
    # Of letters without case (Chinese, Hangul and others) and private use every 20th, of all others each.
    codes = [code for code in range(0x10000) if unicodedata.category(chr(code)) not in ("Lo", "Co", "Cs", "Cn")]
    characters = [*map(chr, (*codes, *range(0, 0xD800, 20), *range(0xE000, 0x10000, 20), *astral)), *SPECIAL]
    words = [f"a{one}b" for one in dict.fromkeys(characters) if normalise_text(f"a{one}b") == f"a{one}b"]
    lines = [" ".join(words[begin : begin + 50]) for begin in range(0, len(words), 50)]
    alphabet = set(escape_text("".join(words))) | {" "}
    model = sentencepiece.SentencePieceProcessor(model_proto=train_model(lines, len(alphabet), "", is_text=True))
    pieces = model.encode([escape_text(word) for word in words])
    assert not any(model.unk_id() in ids for ids in pieces)
    assert [unescape_text(text) for text in model.decode(pieces)] == words
