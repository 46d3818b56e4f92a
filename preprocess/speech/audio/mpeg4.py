"""The boxes of an MPEG-4 file (m4a, mp4, mov, 3gp): whether they are one file to its end."""

import io
import struct
from typing import BinaryIO

from ...errors import AudioError

HEADER = struct.Struct(">I4s")
LONG_SIZE = struct.Struct(">Q")
TO_THE_END, IS_LONG = 0, 1  # in place of a size
FILE_TYPE = b"ftyp"


def check_boxes(file: BinaryIO | io.RawIOBase, size: int) -> None:
    """Check that no other file, and nothing else, stands behind the boxes; a reader of them would not see it.

    Args:
        file: the file.
        size: bytes of it.

    Raises:
        AudioError: something stands there.
    """
    position = 0
    while position < size:
        file.seek(position)
        header = (file.read(HEADER.size) or b"").ljust(HEADER.size, b"\0")
        length, name = HEADER.unpack(header)
        if length == IS_LONG:
            length = LONG_SIZE.unpack((file.read(LONG_SIZE.size) or b"").ljust(LONG_SIZE.size, b"\0"))[0]
        if length == TO_THE_END and any(name):
            return
        if name == FILE_TYPE and position > 0:
            raise AudioError(f"a second file begins at its byte {position}", advice="cut it in two")
        if length < HEADER.size:
            _check_rest(file, position)
            return
        position += length


def _check_rest(file: BinaryIO | io.RawIOBase, position: int) -> None:
    """Zeros may stand behind the last box."""
    file.seek(position)
    while block := file.read(2**20):
        if block.strip(b"\0"):
            raise AudioError(
                f"its bytes from {position} on are no part of it", advice="cut them off, or let ffmpeg make FLAC of it"
            )
