"""One SentencePiece unigram model from lines of text; errors say which vocabulary size would work."""

import io
import logging
import random
import re
from collections.abc import Sequence

from ..errors import VocabularyError
from ..files.escapes import escape_text
from ..files.program.progress import show_waiting

logger = logging.getLogger(__name__)

# Sums over threads differ in the last digits: a fixed number gives the same bytes on every machine.
NUM_THREADS = 16
SPACE = "\u2581"  # how SentencePiece writes a space
# SentencePiece holds about 110 bytes a character: 2.2 GB. 200 hours of speech are about 20 million units.
MAX_CHARACTERS = 20_000_000


def train_model(lines: Sequence[str], num_pieces: int, name: str, is_text: bool, alphabet: str = "") -> bytes:
    """Train a unigram model whose normalisation changes nothing, without the ids of <s>, </s> and <pad>.

    Of more than MAX_CHARACTERS it learns from lines drawn at random; all characters are pieces in any case.

    Args:
        lines: sentences, or units written as characters.
        num_pieces: pieces beside <unk>.
        name: the option and files to name in an error.
        is_text: True: words are separated by spaces, a sentence begins like a word, and what SentencePiece keeps for
            itself is escaped; False: lines as they are.
        alphabet: characters that must be pieces even where `lines` have none of them.

    Returns:
        the serialised model; the same for the same arguments.

    Raises:
        VocabularyError: there is no text, or too much or too little of it for `num_pieces`; the message names the
            number of pieces that is possible.
    """
    if not any(lines):
        raise VocabularyError("there is no text to learn pieces from", place=name)
    if is_text:
        lines = [escape_text(line) for line in lines]
    characters = {SPACE if character == " " else character for line in lines for character in line}
    smallest = len(characters | set(alphabet) | ({SPACE} if is_text else set()))
    if num_pieces < smallest:
        raise VocabularyError(
            f"asked for {num_pieces} pieces, but the data has {smallest} characters and each must be a piece",
            place=name,
            advice=f"ask for {smallest} or more",
        )
    lines = _sample(lines, name)
    learned_from = {SPACE if character == " " else character for line in lines for character in line}
    unseen = sorted((characters | set(alphabet)) - learned_from)
    result = _try_training(lines, num_pieces, is_text, unseen)
    if isinstance(result, bytes):
        return result
    possible = num_pieces
    while isinstance(result, str):  # the number that SentencePiece names is tried before a user is told of it
        match = re.search(r"value <= (\d+)", result)
        if match is None or possible == 0:
            raise VocabularyError(f"SentencePiece cannot learn {num_pieces} pieces from the data: {result}", place=name)
        possible = min(int(match[1]), possible) - 1  # SentencePiece counts <unk> too
        result = _try_training(lines, possible, is_text, unseen)
    raise VocabularyError(
        f"asked for {num_pieces} pieces, but the data allows only {possible}",
        place=name,
        advice="ask for fewer",
    )


def _sample(lines: Sequence[str], name: str) -> Sequence[str]:
    """All lines, or some of them, always the same, that hold MAX_CHARACTERS at most."""
    total = sum(map(len, lines))
    if total <= MAX_CHARACTERS:
        return lines
    sampled = random.Random(0).sample(lines, max(1, len(lines) * MAX_CHARACTERS // total))
    logger.info("%s: learning from %d of %d lines, drawn at random, to bound memory", name, len(sampled), len(lines))
    return sampled


def _try_training(lines: Sequence[str], num_pieces: int, is_text: bool, unseen: list[str]) -> bytes | str:
    """The model, or SentencePiece's error message."""
    import sentencepiece

    model = io.BytesIO()
    try:
        with show_waiting(f"learn {num_pieces} {'text' if is_text else 'unit'} pieces"):
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(lines),
                model_writer=model,
                model_type="unigram",
                vocab_size=num_pieces + 1,
                character_coverage=1.0,
                normalization_rule_name="identity",
                add_dummy_prefix=is_text,
                # In bytes; longer lines would be dropped, and a limit below 10 is refused.
                max_sentence_length=10 + max(len(line.encode()) for line in lines),
                user_defined_symbols=unseen,
                bos_id=-1,
                eos_id=-1,
                pad_id=-1,
                num_threads=NUM_THREADS,
                minloglevel=2,  # errors only
            )
    except RuntimeError as error:
        return str(error)
    return model.getvalue()
