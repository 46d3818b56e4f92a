"""Bytes behind the last frame or page of a file: tags, zeros, or something that would be missed."""

from typing import BinaryIO

from ....errors import AudioError

TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")  # of music players, at the end of any file
FEW_BYTES = 64  # a line end, or what is left of a tag
READ_AT_ONCE = 2**20


def check_remainder(file: BinaryIO, start: int, stop: int) -> None:
    """Check that nothing but tags and zeros stands between two bytes of a file.

    Args:
        file: the file.
        start: the byte behind the last frame or page.
        stop: the byte up to which they belong to nothing else.

    Raises:
        AudioError: something stands there, which no decoder of the rest reads.
    """
    if stop - start <= FEW_BYTES or is_tag_or_zeros(file, start, stop):
        return
    raise AudioError(
        f"bytes {start} to {stop} of the file belong to no part of it that is read",
        advice="cut them off, or let ffmpeg make FLAC of what they are",
    )


def is_tag_or_zeros(file: BinaryIO, start: int, stop: int) -> bool:
    """Whether bytes begin as a tag of a music player, or are all zero."""
    file.seek(start)
    if file.read(min(16, stop - start)).startswith(TAGS):
        return True
    return all(not _read(file, at, stop).strip(b"\0") for at in range(start, stop, READ_AT_ONCE))


def _read(file: BinaryIO, at: int, stop: int) -> bytes:
    file.seek(at)
    return file.read(min(READ_AT_ONCE, stop - at))
