"""Other formats whose header tells a length: AVR, IFF (8SVX, 16SV), WVE, VOC, MPC 2000, MATLAB."""

import struct
from typing import BinaryIO

from ...parts import Part
from .chunks import ChunkForm, first_of_each, no_samples
from .sample_range import Claim, SampleRange, length_of_32_bits

IFF = ChunkForm(struct.Struct(">4sI"), b"BODY")
IFF_KINDS = (b"8SVX", b"16SV")
AVR, WVE, VOC = b"2BIT", b"ALawSoundFile**", b"Creative Voice File\x1a"
AVR_HEADER, WVE_HEADER = 128, 32
MPC, MPC_HEADER = b"\1\4", 42
MATLAB_4, MATLAB_4_BIG, MATLAB_5 = bytes(4) + b"\1\0\0\0", b"\0\0\x03\xe8", b"MATLAB 5.0"
MATLAB_4_WIDTHS = (8, 4, 4, 2)  # of double, float, int32, int16
MATRIX, MATRIX_WITHIN = b"wavedata", 512  # of libsndfile, a few bytes behind the begin
VOC_BLOCKS = {1: 6, 9: 16}  # bytes of a block before its samples, by its type
VOC_SIZED = 4  # those of them that its size does not count


def is_rare(start: bytes) -> bool:
    """Whether a file that begins with these bytes is of one of these formats."""
    is_named = start.startswith((AVR, WVE, VOC, MPC, MATLAB_4, MATLAB_4_BIG, MATLAB_5))
    return is_named or (start[:4] == b"FORM" and start[8:12] in IFF_KINDS)


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
    elif start.startswith(MPC):
        begin, length = MPC_HEADER, int.from_bytes(start[30:32] + file.read(2), "little") * 2 * (1 + start[21])
    elif start.startswith((MATLAB_4, MATLAB_4_BIG, MATLAB_5)):
        file.seek(0)
        begin, length = _matlab(file.read(MATRIX_WITHIN), size)
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


def _matlab(start: bytes, size: int) -> tuple[int, int]:
    """First byte and number of bytes of the samples of a MATLAB file."""
    name = start.find(MATRIX)
    begin = name + len(MATRIX) + (8 if start.startswith(MATLAB_5) else 1)
    if name < 20 or len(start) < begin:
        raise no_samples(size)
    if start.startswith(MATLAB_5):
        order = ">" if start[126:128] == b"MI" else "<"
        return begin, struct.unpack_from(f"{order}I", start, begin - 4)[0]
    order = ">" if start.startswith(MATLAB_4_BIG) else "<"
    kind, num_rows, num_columns = struct.unpack_from(f"{order}III", start, name - 20)
    width = MATLAB_4_WIDTHS[min(kind % 100 // 10, len(MATLAB_4_WIDTHS) - 1)]
    return begin, num_rows * num_columns * width


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
