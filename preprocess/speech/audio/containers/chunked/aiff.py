"""AIFF and AIFF-C."""

import struct
from typing import BinaryIO

from ...parts import Part
from .chunks import ChunkForm, first_of_each, no_samples
from .sample_range import Claim, SampleRange, length_of_32_bits

FORM = ChunkForm(struct.Struct(">4sI"), b"SSND")
COMMON = b"COMM"
OFFSETS = struct.Struct(">II")  # of the samples in their chunk, and of blocks that nobody writes
MOST_FRAMES = 0x7FFFFFFF  # more than there are: libsndfile takes the smaller number


def is_aiff(start: bytes) -> bool:
    """Whether a file that begins with these bytes is an AIFF."""
    return start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC")


def find_aiff_parts(file: BinaryIO, size: int) -> list[Part]:
    """The part of an AIFF that holds its samples; see `SampleRange.find`."""
    chunks = first_of_each(file, FORM, 12, size)
    samples = chunks.get(FORM.samples)
    if samples and COMMON not in chunks:  # it may come behind the samples
        end = samples.begin + samples.claimed
        chunks |= first_of_each(file, FORM, end + end % 2, size)
    common = chunks[COMMON].read(file) if COMMON in chunks else b""
    if samples is None or samples.begin + OFFSETS.size > size or len(common) < 18:
        raise no_samples(size)
    file.seek(4)
    file_end = 8 + int.from_bytes(file.read(4), "big")
    kind = file.read(4)
    file.seek(samples.begin)
    begin = samples.begin + OFFSETS.size + OFFSETS.unpack(file.read(OFFSETS.size))[0]
    length = length_of_32_bits(samples.claimed, size - samples.begin)
    channels, num_frames, bits = struct.unpack_from(">HIH", common)
    claim = Claim(
        begin,
        length and max(0, length - (begin - samples.begin)),
        file_end if file_end > begin else None,
        block=max(1, channels * -(-bits // 8)) if kind == b"AIFF" else 1,
        is_readable=num_frames > 0,
    )

    def header(length: int) -> bytes:
        chunks = kind + FORM.header.pack(COMMON, len(common)) + common[:2]
        chunks += MOST_FRAMES.to_bytes(4, "big") + common[6:] + bytes(len(common) % 2)
        chunks += FORM.header.pack(FORM.samples, OFFSETS.size + length) + OFFSETS.pack(0, 0)
        return FORM.header.pack(b"FORM", len(chunks) + length) + chunks

    return SampleRange(file, size, claim, header, FORM).find()
