"""The .idx and .bin files of fairseq, checked before they are mapped: fairseq itself believes what an .idx says.

An .idx holds a header, the number of tokens of each row (int32), and where in the .bin each row begins (int64). A .bin
holds the token ids of the rows, one behind the other, each row with eos at its end.
"""

import struct
from pathlib import Path

import numpy as np

from ...errors import FileError
from .obstacle import explain_failure

MAGIC = b"MMIDIDX\x00\x00"
HEADER = struct.Struct("<9sQBQ")  # magic, version, kind of number, rows
VERSION = 1
TOKEN_TYPES = {
    1: np.uint8,
    2: np.int8,
    3: np.int16,
    4: np.int32,
    5: np.int64,
    8: np.uint16,
    9: np.uint32,
    10: np.uint64,
}
EOS = 2
CHUNK_TOKENS = 2**24
MAKE_AGAIN = "make the data-bin again"


def check_token_stream(prefix: Path | str, vocabulary_size: int) -> None:
    """Refuse PREFIX.idx and PREFIX.bin that were cut or changed.

    Not every change can be told without their hashes: a token may have become another of the vocabulary.

    Args:
        prefix: path without the endings.
        vocabulary_size: token ids must lie below it.

    Raises:
        FileError: a file cannot be read, the two do not fit each other, a row lacks its end, or a token is none of the
            vocabulary.
    """
    index, tokens_path = Path(f"{prefix}.idx"), Path(f"{prefix}.bin")
    try:
        kind, sizes = _read_index(index)
        num_bytes = tokens_path.stat().st_size
    except OSError as error:
        path = Path(str(error.filename or index))
        obstacle = explain_failure(path, error)
        raise FileError(f"cannot be read: {obstacle.found}", place=path, advice=obstacle.advice) from error
    num_tokens = int(sizes.sum(dtype=np.int64))
    expected = num_tokens * kind.itemsize
    if num_bytes != expected:
        raise FileError(f"has {num_bytes:,} bytes, its .idx says {expected:,}", place=tokens_path, advice=MAKE_AGAIN)
    if num_tokens == 0:
        return
    tokens = np.memmap(tokens_path, kind, "r")
    for begin in range(0, num_tokens, CHUNK_TOKENS):
        chunk = tokens[begin : begin + CHUNK_TOKENS]
        for found in (int(chunk.max()), int(chunk.min())):
            if not 0 <= found < vocabulary_size:
                raise _changed(tokens_path, f"token {found} is none of the dictionary's {vocabulary_size:,}")
    if (tokens[np.cumsum(sizes, dtype=np.int64) - 1] != EOS).any():
        raise _changed(tokens_path, "a row has no end")


def _read_index(path: Path) -> tuple[np.dtype, np.ndarray]:
    """Kind of the tokens, and tokens of each row."""
    content = path.read_bytes()
    if len(content) < HEADER.size:
        raise _changed(path, "it is cut")
    magic, version, kind, rows = HEADER.unpack_from(content)
    if magic != MAGIC or version != VERSION or kind not in TOKEN_TYPES:
        raise _changed(path, "it does not begin as such a file does")
    if len(content) != HEADER.size + rows * (4 + 8):
        raise _changed(path, f"it says {rows:,} rows, and has {len(content):,} bytes")
    token_type = np.dtype(TOKEN_TYPES[kind])
    sizes = np.frombuffer(content, np.int32, rows, HEADER.size)
    begins = np.frombuffer(content, np.int64, rows, HEADER.size + rows * 4)
    if rows and int(sizes.min()) < 1:
        raise _changed(path, "a row has no tokens")
    ends = np.cumsum(sizes, dtype=np.int64) * token_type.itemsize
    if rows and (begins[0] != 0 or (begins[1:] != ends[:-1]).any()):
        raise _changed(path, "its rows are not one behind the other")
    return token_type, sizes


def _changed(path: Path, reason: str) -> FileError:
    return FileError(f"has changed since it was made: {reason}", place=path, advice=MAKE_AGAIN)
