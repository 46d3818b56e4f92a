"""SentencePiece models, read or refused; SentencePiece itself takes an empty file for a model without pieces."""

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import VocabularyError
from .obstacle import explain_failure, in_a_line

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

MAX_BYTES = 2**28  # 256 MiB; mBART's 250 000 pieces have 5 MB
GIT_LFS = b"version https://git"


def read_sentencepiece(path: Path) -> "SentencePieceProcessor":
    """Read a SentencePiece model, whatever its name: by its path SentencePiece takes none that is not UTF-8.

    Raises:
        VocabularyError: the file cannot be read, or is no SentencePiece model.
    """
    from sentencepiece import SentencePieceProcessor

    path = Path(path)
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES)
    except OSError as error:
        obstacle = explain_failure(path, error)
        raise VocabularyError(f"cannot be read: {obstacle.found}", place=path, advice=obstacle.advice) from error
    model = SentencePieceProcessor()
    try:
        is_read = bool(content) and model.LoadFromSerializedProto(content) and model.get_piece_size() > 0
        reason = "" if is_read else "it holds no pieces"
    except RuntimeError as error:
        reason = in_a_line(error)
    if reason:
        hint = "it is a git-lfs pointer: run git lfs pull there" if content.startswith(GIT_LFS) else "copy it again"
        raise VocabularyError(f"cannot be read as a SentencePiece model: {reason}", place=path, advice=hint)
    return model
