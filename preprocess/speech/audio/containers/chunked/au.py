"""Sun and NeXT .au, .snd: a short header and samples to the end; in both byte orders."""

import struct
from typing import BinaryIO

from ...parts import Part
from .chunks import no_samples
from .sample_range import Claim, SampleRange, length_of_32_bits

BYTE_ORDERS = {b".snd": ">", b"dns.": "<"}
TO_THE_END = 0xFFFFFFFF  # a length
MAX_LENGTH = 0x7FFFFFFF  # libsndfile takes larger ones for negative ones


def is_au(start: bytes) -> bool:
    """Whether a file that begins with these bytes is an AU."""
    return start[:4] in BYTE_ORDERS


def find_au_parts(file: BinaryIO, size: int) -> list[Part]:
    """The part of an AU that holds its samples; see `SampleRange.find`."""
    file.seek(0)
    start = file.read(24)
    if len(start) < 24:
        raise no_samples(size)
    form = struct.Struct(BYTE_ORDERS[start[:4]] + "4s5I")
    magic, begin, length, *encoding = form.unpack(start)
    claimed = length_of_32_bits(length, size - begin)
    claim = Claim(begin, claimed, begin + length, is_readable=length <= MAX_LENGTH)
    return SampleRange(file, size, claim, lambda _: form.pack(magic, form.size, TO_THE_END, *encoding)).find()
