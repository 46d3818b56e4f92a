"""Text compressed by gzip, whose reading ends where it would fill memory and disk."""

import gzip
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ManifestError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FREE_BYTES = 2**28  # 256 MiB, which any file may have
MAX_RATIO = 100  # text has 3 to 10, a thousand times the same line 500


def open_gzip(path: Path) -> io.BufferedReader:
    """Open a compressed file; reading raises a ManifestError where it is unpacked to more than any text would be."""
    return io.BufferedReader(_Bounded(path))


class _Bounded(io.RawIOBase):
    """The unpacked bytes, counted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = gzip.open(path)  # noqa: SIM115 - closed by `close`
        self._most = max(FREE_BYTES, MAX_RATIO * os.stat(path).st_size)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        number = self._file.readinto(buffer)
        self._count += number
        if self._count > self._most:
            raise ManifestError(
                f"unpacks to more than {self._most:,} bytes: no text is so much smaller when it is compressed",
                place=self._path,
                advice="unpack it yourself, if it is what you meant",
            )
        return number

    def close(self) -> None:
        self._file.close()
        super().close()
