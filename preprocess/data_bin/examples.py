"""The examples of a data-bin: rows of a split and external text -> token ids."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np

from ..errors import VocabularyError
from ..files.origin import Origin
from ..files.splits import Split
from ..files.text import TextPair, normalise_text
from ..vocabulary.dictionary import UNK_INDEX
from ..vocabulary.token_encoder import TokenEncoder
from .writer import Example

CHUNK_EXAMPLES = 2000  # encoded by SentencePiece's threads at a time

Item = TypeVar("Item")


def speech_examples(split: Split, encoder: TokenEncoder, has_transcripts: bool) -> Iterator[Example]:
    """Examples of the rows with audio, in the manifest's order; one for each speed of a row.

    Raises:
        VocabularyError: a unit is not in the unit model.
    """
    for rows in chunks(split.spoken_rows()):
        languages = [(row.src_lang, row.tgt_lang) for row in rows]
        sources = encoder.speech([split.units[row.id] for row in rows], languages)
        texts = [normalise_text(row.tgt_text) for row in rows]
        targets = encoder.target(texts, languages)
        transcripts: list[np.ndarray | None] = [None] * len(rows)
        if has_transcripts:
            transcripts = [*encoder.transcript([normalise_text(row.src_text) for row in rows])]
        for row, source, target, text, transcript in zip(rows, sources, targets, texts, transcripts, strict=True):
            if UNK_INDEX in source:
                raise VocabularyError(
                    f"a unit of utterance '{row.id}' is not in the unit model",
                    place=split.units_path,
                    advice=(
                        "train the subwords on units of the same k-means, with their card, so that all its units "
                        "are known"
                    ),
                )
            origin = Origin(row.id, row.src_lang, row.tgt_lang, row.duration, row.speaker)
            is_altered = encoder.alters(row.src_text, text)
            yield Example(origin, source, target, text, encoder.num_symbols, transcript, is_altered)


def text_examples(pairs: Iterable[TextPair], encoder: TokenEncoder) -> Iterator[Example]:
    """Examples of the text stream, the source repeated."""
    for chunk in chunks(pairs):
        languages = [(pair.source_language, pair.target_language) for pair in chunk]
        sources = encoder.repeated_text([pair.source for pair in chunk], languages)
        targets = encoder.target([pair.target for pair in chunk], languages)
        for pair, source, target in zip(chunk, sources, targets, strict=True):
            origin = Origin(pair.name, pair.source_language, pair.target_language)
            is_altered = encoder.alters(pair.source, pair.target)
            yield Example(origin, source, target, pair.target, encoder.num_symbols, is_altered=is_altered)


def manifest_pairs(split: Split) -> Iterator[TextPair]:
    """The rows of a split that have a source text."""
    for row in split.utterances:
        source = normalise_text(row.src_text)
        if source:
            yield TextPair(row.id, source, normalise_text(row.tgt_text), row.src_lang, row.tgt_lang)


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Lists of at most CHUNK_EXAMPLES items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK_EXAMPLES)):
        yield chunk
