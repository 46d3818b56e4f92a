"""Tags that players put before, behind and between the frames of audio: ID3, APE, Lyrics3."""

import re

from .window import Window

ID3_HEADER_BYTES, ID3_V1_BYTES, ID3_V1_EXTENSION_BYTES = 10, 128, 227
HAS_FOOTER = 0x10
APE_BYTES, APE_IS_HEADER = 32, 0x20000000
# Of Lyrics3 version 1; version 2 tells its length in six digits.
LYRICS_MAX_BYTES = 5120 + 20
# Of version 2 in front or between: behind the last frame it is found by its length.
LYRICS_SEARCHED_BYTES = 2**13
LYRICS_ENDS = (b"LYRICSEND", b"LYRICS200")
# A tag that begins with no name of its own is looked for by its end, this far away.
NAMELESS_MAX_BYTES = 2**18

TAG_STARTS = re.compile(rb"ID3[\x02-\x04]|TAG|APETAGEX|LYRICSBEGIN|3DI[\x02-\x04]")


def behind_tags(window: Window, position: int) -> int:
    """The byte behind all tags at `position` that begin with a name."""
    while position < (behind := tag_end(window, position)):
        position = behind
    return position


def tag_end(window: Window, position: int) -> int:
    """The byte behind a tag that begins at `position`; `position` where none does."""
    start = window.take(position, APE_BYTES)
    if start.startswith((b"ID3", b"3DI")) and len(start) >= ID3_HEADER_BYTES and max(start[6:10]) < 0x80:
        return position + _id3_bytes(start)
    if start.startswith(b"TAG+"):
        return position + ID3_V1_EXTENSION_BYTES
    if start.startswith(b"TAG"):
        return position + ID3_V1_BYTES
    if start.startswith(b"APETAGEX") and len(start) == APE_BYTES:
        size, flags = _ape_size(start)
        return position + APE_BYTES + (size if flags & APE_IS_HEADER else 0)
    if start.startswith(b"LYRICSBEGIN"):
        content = window.take(position, LYRICS_SEARCHED_BYTES)
        ends = [found for mark in LYRICS_ENDS if (found := content.find(mark)) >= 0]
        return position + min(ends) + len(LYRICS_ENDS[0]) if ends else position
    return position


def nameless_tag_end(window: Window, position: int) -> int:
    """The byte behind an APE tag without a header that begins at `position`; `position` where none does."""
    found = window.take(position, NAMELESS_MAX_BYTES).find(b"APETAGEX")
    if found >= 0:
        size, flags = _ape_size(window.take(position + found, APE_BYTES).ljust(APE_BYTES, b"\0"))
        if size == found + APE_BYTES and not flags & APE_IS_HEADER:
            return position + size
    return position


def start_of_last_tags(window: Window) -> int:
    """The byte at which the tags at the end of a file begin; its size where there are none."""
    end = window.size
    while (start := _start_of_last_tag(window, end)) < end:
        end = start
    return end


def _start_of_last_tag(window: Window, end: int) -> int:
    def ends(length: int) -> bytes:
        return window.take(end - length, length) if end >= length else b""

    if ends(ID3_V1_BYTES).startswith(b"TAG"):
        return end - ID3_V1_BYTES
    if ends(ID3_V1_EXTENSION_BYTES).startswith(b"TAG+"):
        return end - ID3_V1_EXTENSION_BYTES
    if (footer := ends(APE_BYTES)).startswith(b"APETAGEX"):
        size, _ = _ape_size(footer)
        start = max(0, end - size)
        has_header = start >= APE_BYTES and window.take(start - APE_BYTES, 8) == b"APETAGEX"
        return start - APE_BYTES if has_header else start
    if found := re.fullmatch(rb"(\d{6})LYRICS200", ends(15)):
        start = max(0, end - 15 - int(found[1]))
        return start if window.take(start, 11) == b"LYRICSBEGIN" else end
    if ends(9) == b"LYRICSEND":
        start = max(0, end - LYRICS_MAX_BYTES)
        found_at = window.take(start, end - start).rfind(b"LYRICSBEGIN")
        return end if found_at < 0 else start + found_at
    return end


def _id3_bytes(header: bytes) -> int:
    size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
    return size + ID3_HEADER_BYTES * (2 if header[5] & HAS_FOOTER and header.startswith(b"ID3") else 1)


def _ape_size(block: bytes) -> tuple[int, int]:
    """Bytes of an APE tag with its footer and without its header; the flags of this header or footer."""
    return int.from_bytes(block[12:16], "little"), int.from_bytes(block[20:24], "little")
