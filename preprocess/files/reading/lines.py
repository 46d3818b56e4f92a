"""Lines of a text file, plain or compressed by gzip, each with its place; a line that is not UTF-8 is its own fault.

Lines end in LF or CRLF; in CR alone where the file has no LF but at its very end. Other separators that a text may hold
end none.
"""

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from ...errors import ManifestError
from .gzip_file import open_gzip
from .obstacle import unreadable

GZIP_MAGIC = b"\x1f\x8b"
KEPT_BYTE = re.compile("[\udc80-\udcff]")  # of text that is not UTF-8


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        location: `FILE:LINE`.
        content: its bytes without the line end.
    """

    location: str
    content: bytes

    @property
    def text(self) -> str:
        """The line as text.

        Raises:
            ManifestError: it is not UTF-8.
        """
        try:
            return self.content.decode()
        except UnicodeDecodeError as error:
            raise not_utf8(self.content[error.start], self.location) from error

    @property
    def raw_text(self) -> str:
        """The line as text; bytes that are not UTF-8 are surrogates, as in names of files."""
        return self.content.decode(errors="surrogateescape")


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a file, without a byte order mark; they are read as they are asked for.

    Raises:
        ManifestError: the file cannot be read, or is compressed and would fill the memory.
    """
    try:
        with open_bytes(path) as file:
            yield from lines_of(file, str(path))
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from error


def lines_of(file: IO[bytes], name: str) -> Iterator[Line]:
    """Yield the lines of an open file, such as stdin, as they come.

    Args:
        file: where nothing has been read yet.
        name: of the file in the places of lines.
    """
    for number, content in enumerate(_split(file), start=1):
        if number == 1:
            content = content.removeprefix(codecs.BOM_UTF8)
        yield Line(f"{name}:{number}", content)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file that may be compressed by gzip, whatever its name.

    Raises:
        OSError: it cannot be opened.
        ManifestError: no file can have this name.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed by the caller
    except ValueError as error:
        raise unreadable(path, error) from error
    if file.peek(2)[:2] == GZIP_MAGIC:
        file.close()
        return open_gzip(path)
    return file


def not_utf8(byte: int, location: str) -> ManifestError:
    """The error of a line that is in another encoding."""
    return ManifestError(f"expected UTF-8, found the byte 0x{byte:02X}", place=location, advice="convert the file")


def check_utf8(text: str) -> str:
    """The text of a line; `Line.raw_text` gives one that may be in another encoding.

    Raises:
        ManifestError: it is not UTF-8.
    """
    kept_byte = KEPT_BYTE.search(text)
    if kept_byte is not None:
        raise not_utf8(ord(kept_byte[0]) - 0xDC00, "")
    return text


def _split(file: IO[bytes]) -> Iterator[bytes]:
    # In text mode a lone carriage return within a line would count as a line end.
    first = file.readline()
    begin = [first] if first else []
    if b"\r" in _without_end(first):
        second = file.readline()
        if not second:  # the whole file
            yield from _without_end(first).split(b"\r")
            return
        begin.append(second)
    yield from map(_without_end, chain(begin, file))


def _without_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")
