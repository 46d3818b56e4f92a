"""WAV: RIFF, RIFX, and RF64 and BW64, whose sizes have 64 bits."""

import io
import struct
from typing import BinaryIO

from .....errors import AudioError
from ...parts import Part, PartFile
from ..mpeg.mpeg import find_mpeg_parts
from .chunks import SLIGHTLY, Chunk, ChunkForm, no_samples, walk
from .sample_range import Claim, SampleRange, length_of_32_bits, length_of_64_bits

LITTLE_ENDIAN = ChunkForm(struct.Struct("<4sI"), b"data")
BIG_ENDIAN = ChunkForm(struct.Struct(">4sI"), b"data")
IN_DS64 = 0xFFFFFFFF  # a size that stands in the ds64 chunk
G721 = 0x40  # a codec whose blocks are not those that its header says
MPEG_CODECS = (0x50, 0x55)  # mp2 and mp3: the samples are a file of frames
MAX_RIFF = 0xFFFF0000  # bytes of samples


def is_wav(start: bytes) -> bool:
    """Whether a file that begins with these bytes is a WAV."""
    return start[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and start[8:12] == b"WAVE"


def find_wav_parts(file: BinaryIO, size: int) -> list[Part]:
    """The part of a WAV that holds its samples; see `SampleRange.find`."""
    file.seek(0)
    kind = file.read(4)
    form = BIG_ENDIAN if kind == b"RIFX" else LITTLE_ENDIAN
    found: dict[bytes, bytes] = {}
    for chunk in walk(file, form, 12, size):
        body = b"" if chunk.name == b"data" else chunk.read(file)
        if chunk.name == b"LIST" and body[:4] == b"wavl":
            raise AudioError("its samples lie in several chunks (wavl)", advice="make one of them, such as by ffmpeg")
        found.setdefault(chunk.name, body)
    if b"data" not in found or len(found.get(b"fmt ", b"")) < 16:
        raise no_samples(size)
    fmt = found[b"fmt "]
    if int.from_bytes(fmt[:2], "little") in MPEG_CODECS and form is LITTLE_ENDIAN:
        return _find_frames(file, size, chunk)
    if kind in (b"RF64", b"BW64"):
        claim = _claim_of_64_bits(kind, chunk, found.get(b"ds64", b""), fmt)
    else:
        file.seek(0)
        claim = _claim_of_32_bits(chunk, form.header.unpack(file.read(8))[1], size, fmt, form)
    return SampleRange(file, size, claim, lambda length: wav_header(fmt, length, form), form).find()


def _find_frames(file: BinaryIO, size: int, data: Chunk) -> list[Part]:
    """The parts of MPEG audio in a WAV, whose header tells no number of samples."""
    left = size - data.begin
    claimed = length_of_32_bits(data.claimed, left) or left
    if claimed > left + SLIGHTLY:
        raise AudioError(f"cut short: its header says {claimed} bytes of samples, found {left}")
    frames = range(data.begin, data.begin + min(claimed, left))
    view = io.BufferedReader(PartFile(file, [frames]))
    return [part.moved(data.begin) for part in find_mpeg_parts(view, len(frames))]


def wav_header(fmt: bytes, length: int, form: ChunkForm = LITTLE_ENDIAN) -> bytes:
    """A file up to its samples.

    Args:
        fmt: the body of its chunk "fmt ".
        length: of its samples, bytes.
        form: of its chunks.
    """
    fmt += bytes(len(fmt) % 2)
    chunks = b"WAVE" + form.header.pack(b"fmt ", len(fmt)) + fmt
    if length <= MAX_RIFF:
        kind = b"RIFX" if form is BIG_ENDIAN else b"RIFF"
        return form.header.pack(kind, len(chunks) + 8 + length) + chunks + form.header.pack(b"data", length)
    sizes = struct.pack("<QQQI", len(chunks) + 44 + length, length, 0, 0)
    chunks = chunks[:4] + form.header.pack(b"ds64", len(sizes)) + sizes + chunks[4:]
    return form.header.pack(b"RF64", IN_DS64) + chunks + form.header.pack(b"data", IN_DS64)


def block_of(fmt: bytes, form: ChunkForm = LITTLE_ENDIAN) -> int:
    """Bytes that are decoded at once, by the body of a chunk "fmt "."""
    codec, block = struct.unpack_from(">H10xH" if form is BIG_ENDIAN else "<H10xH", fmt)
    return 1 if codec == G721 else block or 1


def _claim_of_32_bits(data: Chunk, riff: int, size: int, fmt: bytes, form: ChunkForm) -> Claim:
    block, file_end = block_of(fmt, form), riff + 8
    if size > 2**32 and (size - file_end) % 2**32 == 0:  # sizes that went beyond 32 bits
        return Claim(data.begin, data.claimed + size - file_end, size, block, is_readable=False)
    length = length_of_32_bits(data.claimed, size - data.begin)
    return Claim(data.begin, length, file_end if file_end > data.begin else None, block)


def _claim_of_64_bits(kind: bytes, data: Chunk, ds64: bytes, fmt: bytes) -> Claim:
    file_end: int | None = None
    length: int | None = data.claimed if data.claimed != IN_DS64 else None
    is_readable = kind == b"RF64" and len(ds64) >= 28
    if len(ds64) >= 16:
        riff, long_length = struct.unpack_from("<QQ", ds64)
        length = length_of_64_bits(long_length or length or 0)
        file_end = length_of_64_bits(riff + 8) if riff + 8 > data.begin else None
        is_readable &= length == long_length
    return Claim(data.begin, length, file_end, block_of(fmt), is_readable)
