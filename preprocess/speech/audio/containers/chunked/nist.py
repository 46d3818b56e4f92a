"""NIST SPHERE: a header of lines of text, and samples to the end."""

import re
from typing import BinaryIO

from ...parts import Part
from .chunks import no_samples
from .sample_range import Claim, SampleRange

START = b"NIST_1A\n"
FIELD = re.compile(rb"^(\w+) -(?:i|r|s\d+) ?(.*?)\s*$", re.MULTILINE)
HEADER_BYTES = 1024  # libsndfile reads no more
MAX_HEADER = 2**20
READABLE = (b"", b"pcm", b"ulaw", b"mu-law", b"alaw")  # others are compressed


def is_nist(start: bytes) -> bool:
    """Whether a file that begins with these bytes is a NIST SPHERE."""
    return start.startswith(START)


def find_nist_parts(file: BinaryIO, size: int) -> list[Part]:
    """The part of a NIST SPHERE that holds its samples; see `SampleRange.find`."""
    file.seek(len(START))
    length_line = file.read(8).strip()
    if not length_line.isdigit() or int(length_line) > min(size, MAX_HEADER):
        raise no_samples(size)
    begin = int(length_line)
    file.seek(0)
    lines, found, _ = file.read(begin).partition(b"end_head")
    if not found:
        raise no_samples(size)
    fields = dict(FIELD.findall(lines))
    if fields.get(b"sample_coding", b"") not in READABLE:
        return []
    block = _number(fields, b"channel_count", 1) * _number(fields, b"sample_n_bytes", 1)
    length = _number(fields, b"sample_count", 0) * block
    is_readable = begin + length == size and len(lines) < HEADER_BYTES - len(found)
    claim = Claim(begin, length, begin + length, max(1, block), is_readable)
    return SampleRange(file, size, claim, lambda length: _header(lines, length // max(1, block))).find()


def _number(fields: dict[bytes, bytes], name: bytes, default: int) -> int:
    value = fields.get(name, b"")
    return int(value) if value.isdigit() else default


def _header(lines: bytes, sample_count: int) -> bytes:
    """A header with the fields that a decoder needs."""
    needed = [
        line
        for line in lines.split(b"\n")[2:]
        if line.startswith((b"sample_", b"channel")) and not line.startswith(b"sample_count")
    ]
    text = START + b"%7d\n" % HEADER_BYTES + b"\n".join([*needed, b"sample_count -i %d" % sample_count, b"end_head\n"])
    return text.ljust(HEADER_BYTES)
