"""Apple's Core Audio Format."""

import struct
from typing import BinaryIO

from ...parts import Part
from .chunks import ChunkForm, first_of_each, no_samples
from .sample_range import Claim, SampleRange

FORM = ChunkForm(struct.Struct(">4sq"), b"data", alignment=1)
START = b"caff\0\1\0\0"
EDIT_COUNT = 4  # bytes before the samples
KEPT = (b"desc", b"kuki", b"pakt")  # chunks without which samples cannot be decoded


def is_caf(start: bytes) -> bool:
    """Whether a file that begins with these bytes is a CAF."""
    return start[:4] == START[:4]


def find_caf_parts(file: BinaryIO, size: int) -> list[Part]:
    """The part of a CAF that holds its samples; see `SampleRange.find`."""
    chunks = first_of_each(file, FORM, len(START), size)
    samples = chunks.get(FORM.samples)
    if samples is None:
        raise no_samples(size)
    if samples.claimed > 0:  # the table of packets may come behind the samples
        chunks |= first_of_each(file, FORM, samples.begin + samples.claimed, size)
    kept = [chunks[name] for name in KEPT if name in chunks]
    described = START + b"".join(
        FORM.header.pack(chunk.name, chunk.claimed) + chunk.read(file, chunk.claimed) for chunk in kept
    )
    begin, length = samples.begin + EDIT_COUNT, samples.claimed - EDIT_COUNT
    claim = Claim(begin, length if length > 0 else None, begin + length)

    def header(length: int) -> bytes:
        return described + FORM.header.pack(FORM.samples, EDIT_COUNT + length) + bytes(EDIT_COUNT)

    return SampleRange(file, size, claim, header, FORM).find()
