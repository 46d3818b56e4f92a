"""The size of an AVI file, by which one that was cut is told: FFmpeg takes what is left of it for all."""

import struct

from ...errors import AudioError
from .parts import PartFile

UNKNOWN = 0x7F000000  # and above, or 0: of a recording that was not ended


def check_avi_end(file: PartFile, size: int) -> None:
    """Check that a file is as long as its header says.

    Args:
        file: the file.
        size: bytes of it.

    Raises:
        AudioError: it is shorter.
    """
    file.seek(0)
    claimed = struct.unpack("<4xI", file.read(8) or bytes(8))[0] + 8
    if size < claimed < UNKNOWN:
        raise AudioError(f"cut short: its header says {claimed} bytes, found {size}")
