"""A file of which a stretch is in memory."""

from typing import BinaryIO

WINDOW_BYTES = 2**20


class Window:
    """Bytes of a file at any position; the stretch read last is kept.

    Attributes:
        size: of the file, bytes.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self.size = file, size
        self._start, self._bytes = 0, b""

    def take(self, position: int, count: int) -> bytes:
        """`count` bytes from a position; fewer at the end of the file."""
        start, content = self.around(position, count)
        return content[position - start : position - start + count]

    def around(self, position: int, count: int) -> tuple[int, bytes]:
        """Start and bytes of a stretch that holds `count` bytes from a position, or all."""
        inside = self._start <= position and min(position + count, self.size) <= self._start + len(self._bytes)
        if not inside:
            self._file.seek(position)
            self._start, self._bytes = position, self._file.read(max(count, WINDOW_BYTES))
        return self._start, self._bytes
