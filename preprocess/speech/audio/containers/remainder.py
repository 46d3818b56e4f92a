"""Bytes behind the last frame or page of a file: tags, zeros, or something that would be missed."""

import io
from typing import BinaryIO

from ....errors import AudioError
from ..parts import PartFile
from .tags import behind_tags, start_of_last_tags
from .window import Window

TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")  # of music players, at the end of any file
FEW_BYTES = 64  # a line end, or what is left of a tag
ZEROS_AT_ONCE = 2**12  # bytes


def check_remainder(file: BinaryIO, start: int, stop: int) -> None:
    """Check that nothing but tags and zeros stands between two bytes of a file.

    Args:
        file: the file.
        start: the byte behind the last frame or page.
        stop: the byte up to which they belong to nothing else.

    Raises:
        AudioError: something stands there, which no decoder of the rest reads.
    """
    if holds_nothing(file, start, stop):
        return
    raise AudioError(
        f"bytes {start} to {stop} of the file belong to no part of it that is read",
        advice="cut them off, or let ffmpeg make FLAC of what they are",
    )


def holds_nothing(file: BinaryIO, start: int, stop: int) -> bool:
    """Whether a stretch of a file holds nothing but tags, zeros and a few bytes."""
    window = Window(io.BufferedReader(PartFile(file, [range(start, stop)])), stop - start)
    position, end = 0, start_of_last_tags(window)
    while end - position > FEW_BYTES:
        behind = behind_tags(window, position)
        zeros = window.take(behind, ZEROS_AT_ONCE)
        behind += len(zeros) - len(zeros.lstrip(b"\0"))
        if behind == position:
            return False
        position = behind
    return True
