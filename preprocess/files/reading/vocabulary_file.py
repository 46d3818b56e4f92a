"""vocab.json of a tokenizer of Hugging Face: pieces, and the rows of their embeddings."""

from pathlib import Path

from ...errors import FileError
from .json_file import read_json


def read_vocabulary(path: Path) -> dict[str, int]:
    """Piece -> row.

    Raises:
        FileError: the file cannot be read, or does not give each piece a row of its own.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(row, int) and row >= 0 for row in content.values()):
        raise FileError("expected a JSON object of pieces and their numbers", place=path, advice="download it again")
    if len(set(content.values())) != len(content):
        raise FileError("two pieces have one number", place=path, advice="download it again")
    return content
