"""The tokenizer of Opus-MT: two SentencePiece models, and one vocab.json that tells the rows of the pieces of both."""

import re
from pathlib import Path

from ..errors import FileError, VocabularyError
from ..files.reading.sentencepiece_model import read_sentencepiece
from ..files.text_models import check_one_vocabulary
from .tokenizer_files import (
    Tokenizer,
    check_size,
    existing,
    model_pieces,
    read_rows,
    read_tokenizer_config,
    read_vocabulary_size,
)

SPECIAL_SYMBOLS = ("<pad>", "</s>", "<unk>")
PUBLISHED_NAME = re.compile(r"opus-mt-(?:tc-(?:big|base)-)?(?P<source>\w+)-(?P<target>\w+)$")


def find_opus_mt(folder: Path, name: str, config: dict[str, object]) -> Tokenizer:
    """The tokenizer in a folder of Opus-MT; the pair is told by tokenizer_config.json, else by the model's name.

    Raises:
        VocabularyError: a file is missing, the files do not fit together, or source and target have vocabularies of
            their own.
    """
    try:
        check_one_vocabulary(folder)
    except FileError as error:
        raise VocabularyError.of(error) from error
    source, target, vocabulary = (existing(folder, name) for name in ("source.spm", "target.spm", "vocab.json"))
    rows = read_rows(vocabulary, SPECIAL_SYMBOLS)
    num_rows = max(rows.values()) + 1
    check_size(folder, read_vocabulary_size(folder, config), num_rows, f"the {len(rows)} pieces of vocab.json")
    symbols = tuple(piece for piece in rows if piece.startswith(">>") and piece.endswith("<<"))
    pieces = dict.fromkeys([*model_pieces(read_sentencepiece(source)), *model_pieces(read_sentencepiece(target))])
    return Tokenizer(
        convention="opus-mt-several" if symbols else "opus-mt",
        source=source,
        target=target,
        files=(source, target, vocabulary),
        symbols=symbols,
        unknown_pieces=tuple(piece for piece in pieces if piece not in rows),
        languages=_languages(name, read_tokenizer_config(folder)),
    )


def _languages(name: str, tokenizer: dict[str, object]) -> tuple[str, str] | None:
    source, target = tokenizer.get("source_lang"), tokenizer.get("target_lang")
    if isinstance(source, str) and isinstance(target, str):
        return source, target
    found = PUBLISHED_NAME.search(name)
    return None if found is None else (found["source"], found["target"])
