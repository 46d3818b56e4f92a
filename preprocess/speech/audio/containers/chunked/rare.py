"""Formats of samplers and old computers whose header tells a length: AVR, IFF (8SVX, 16SV), WVE, VOC."""

import struct
from typing import BinaryIO

from ...parts import Part
from .chunks import ChunkForm, first_of_each, no_samples
from .sample_range import Claim, SampleRange, length_of_32_bits

IFF = ChunkForm(struct.Struct(">4sI"), b"BODY")
IFF_KINDS = (b"8SVX", b"16SV")
AVR, WVE, VOC = b"2BIT", b"ALawSoundFile**", b"Creative Voice File\x1a"
AVR_HEADER, WVE_HEADER = 128, 32
VOC_BLOCKS = {1: 6, 9: 16}  # bytes of a block before its samples, by its type
VOC_SIZED = 4  # those of them that its size does not count


def is_rare(start: bytes) -> bool:
    """Whether a file that begins with these bytes is of one of these formats."""
    return start.startswith((AVR, WVE, VOC)) or (start[:4] == b"FORM" and start[8:12] in IFF_KINDS)


def find_rare_parts(file: BinaryIO, size: int) -> list[Part]:
    """The part of such a file that holds its samples; see `SampleRange.find`."""
    file.seek(0)
    start = file.read(WVE_HEADER)
    if len(start) < WVE_HEADER:
        raise no_samples(size)
    if start.startswith(VOC):
        begin, length = _voc(file, size)
    elif start.startswith(AVR):
        is_stereo, bits, num_samples = struct.unpack_from(">HH10xI", start, 12)
        begin, length = AVR_HEADER, num_samples * (bits // 8) * (2 if is_stereo else 1)
    elif start.startswith(WVE):
        begin, length = WVE_HEADER, int.from_bytes(start[18:22], "big")
    else:
        chunks = first_of_each(file, IFF, 12, size)
        if IFF.samples not in chunks:
            raise no_samples(size)
        begin, length = chunks[IFF.samples].begin, chunks[IFF.samples].claimed
    file.seek(0)
    header = file.read(begin)
    claim = Claim(begin, length_of_32_bits(length, size - begin), begin + length)
    return SampleRange(file, size, claim, lambda _: header, IFF if start[:4] == b"FORM" else None).find()


def _voc(file: BinaryIO, size: int) -> tuple[int, int]:
    """First byte and number of bytes of the first block of sound of a VOC."""
    file.seek(20)
    position = int.from_bytes(file.read(2), "little")
    while position < size:
        file.seek(position)
        kind, *length = file.read(VOC_SIZED)
        num_bytes = int.from_bytes(bytes(length), "little")
        if kind in VOC_BLOCKS:
            return position + VOC_BLOCKS[kind], num_bytes + VOC_SIZED - VOC_BLOCKS[kind]
        if kind == 0:
            break
        position += VOC_SIZED + num_bytes
    raise no_samples(size)
