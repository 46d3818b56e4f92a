"""Pages of Ogg (RFC 3533): read with their checksums, and their headers written again."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from .....errors import AudioError

MARKER = b"OggS"
CONTINUED, FIRST, LAST = 1, 2, 4  # flags
NO_GRANULE = -1  # no packet ends on the page
UNKNOWN_SERIAL = -1  # less than its header is left

_HEADER = struct.Struct("<4sBBqIIIB")
_SEARCHED_AT_ONCE = 2**16  # bytes
_MAX_BROKEN_PAGES = 2**10  # in a file; each costs the checksum of up to 64 kB
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Page:
    """The header of a page.

    Attributes:
        start: its first byte in the file.
        flags: CONTINUED, FIRST and LAST.
        granule: the position that its last packet ends at, as its codec counts; NO_GRANULE.
        serial: of its stream; UNKNOWN_SERIAL.
        number: of the page within its stream.
        lacing: lengths of its segments, bytes.
        is_whole: its bytes are all there, and its checksum is right.
    """

    start: int
    flags: int
    granule: int
    serial: int
    number: int
    lacing: bytes
    is_whole: bool = True

    @property
    def body(self) -> range:
        """The bytes of the file that hold its packets."""
        start = self.start + _HEADER.size + len(self.lacing)
        return range(start, start + sum(self.lacing))

    def header(self, body: bytes) -> bytes:
        """Its header as bytes, with its checksum."""
        fields = (MARKER, 0, self.flags, self.granule, self.serial, self.number)
        blank = _HEADER.pack(*fields, 0, len(self.lacing)) + self.lacing
        return _HEADER.pack(*fields, _checksum(blank + body), len(self.lacing)) + self.lacing


def read_pages(file: BinaryIO, start: int) -> Iterator[tuple[Page, bytes]]:
    """Pages of a file and their bodies; what lies between them is passed over.

    A page that is not whole is given too, with what there is of its body: it may be one, or look like one.

    Raises:
        AudioError: there are too many of these.
    """
    num_broken = 0
    while True:
        file.seek(start)
        head = file.read(_HEADER.size)
        if head[:4] != MARKER or len(head) < _HEADER.size:
            found = _find_marker(file, start)
            if found is None:
                return
            if found == start:  # less than a header is left
                yield Page(start, 0, NO_GRANULE, UNKNOWN_SERIAL, 0, b"", is_whole=False), b""
                return
            start = found
            continue
        _, version, flags, granule, serial, number, checksum, segments = _HEADER.unpack(head)
        lacing = file.read(segments)
        length = sum(lacing)
        body = file.read(length)
        blank = head[:22] + bytes(4) + head[26:] + lacing + body
        page = Page(start, flags, granule, serial, number, lacing)
        if version == 0 and len(lacing) == segments and len(body) == length and _checksum(blank) == checksum:
            yield page, body
            start = page.body.stop
        else:
            yield replace(page, is_whole=False), body
            start += 1
            num_broken += 1
            if num_broken > _MAX_BROKEN_PAGES:
                raise AudioError(f"corrupt: {num_broken} of its pages are not whole, the last at byte {page.start}")


def _find_marker(file: BinaryIO, start: int) -> int | None:
    """The byte that the next page may begin at; None if none does."""
    while True:
        file.seek(start)
        chunk = file.read(_SEARCHED_AT_ONCE)
        at = chunk.find(MARKER)
        if at >= 0:
            return start + at
        if len(chunk) < _SEARCHED_AT_ONCE:
            return None
        start += _SEARCHED_AT_ONCE - len(MARKER) + 1


def _checksum(data: bytes) -> int:
    """CRC-32 of Ogg: that of zlib, but highest bit first, and beginning and ending without inversion."""
    reflected = ~zlib.crc32(data.translate(_REVERSED_BITS), 0xFFFFFFFF) & 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED_BITS), "big")
