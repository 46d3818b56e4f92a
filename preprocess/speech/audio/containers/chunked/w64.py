"""Sony Wave64: chunks whose ids are GUIDs and whose sizes have 64 bits and count their headers."""

import struct
from typing import BinaryIO

from ...parts import Part
from .chunks import ChunkForm, first_of_each, no_samples
from .sample_range import Claim, SampleRange, length_of_64_bits
from .wav import block_of, wav_header

RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # how the others end
FMT = b"fmt " + GUID
FORM = ChunkForm(struct.Struct("<16sQ"), b"data" + GUID, alignment=8, counted=24)


def is_w64(start: bytes) -> bool:
    """Whether a file that begins with these bytes is a W64."""
    return start[:16] == RIFF and start[24:40] == b"wave" + GUID


def find_w64_parts(file: BinaryIO, size: int) -> list[Part]:
    """The part of a W64 that holds its samples; see `SampleRange.find`."""
    chunks = first_of_each(file, FORM, 40, size)
    fmt = chunks[FMT].read(file) if FMT in chunks else b""
    if FORM.samples not in chunks or len(fmt) < 16:
        raise no_samples(size)
    samples = chunks[FORM.samples]
    file.seek(len(RIFF))
    file_end = int.from_bytes(file.read(8), "little")
    claim = Claim(
        samples.begin,
        length_of_64_bits(max(0, samples.claimed)),
        length_of_64_bits(file_end) if file_end > samples.begin else None,
        block_of(fmt),
        is_readable=samples.begin + samples.claimed == size,  # libsndfile takes all that follows for samples
    )
    return SampleRange(file, size, claim, lambda length: wav_header(fmt, length), FORM).find()
