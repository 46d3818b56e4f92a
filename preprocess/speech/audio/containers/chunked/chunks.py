"""Chunks, of which WAV, W64, AIFF and CAF are made: an id, a size, a body."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .....errors import AudioError

# Chunks that may follow on the samples: the last of them may be cut, and still it is no audio.
KNOWN = frozenset(
    b"LIST|bext|cue |fact|PEAK|smpl|inst|JUNK|junk|FLLR|PAD |iXML|axml|chna|cart|DISP|acid|strc|levl|umid|plst|_PMX|"
    b"afsp|MD5 |LGWV|link|id3 |ID3 |minf|elm1|regn|MARK|INST|COMT|APPL|NAME|AUTH|ANNO|(c) |FVER|COMM|AFAn|CHAN|"
    b"free|info|pakt|kuki|chan|peak|mark|strg|uuid|ovvw|edct|list|summ".split(b"|")
)
SECOND_FILES = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"riff")
SLIGHTLY = 16  # bytes by which a size may be wrong: a header, a sample, padding


@dataclass(frozen=True)
class ChunkForm:
    """The form of a container's chunks.

    Attributes:
        header: id and size, packed.
        samples: id of the chunk that holds the samples.
        alignment: chunks begin at multiples of it.
        counted: bytes of the header that the size counts as well.
    """

    header: struct.Struct
    samples: bytes
    alignment: int = 2
    counted: int = 0


@dataclass(frozen=True)
class Chunk:
    """A chunk of a file.

    Attributes:
        name: its id.
        start: the first byte of its header.
        begin: the first byte of its body.
        claimed: bytes of its body, by its header.
    """

    name: bytes
    start: int
    begin: int
    claimed: int

    @property
    def is_known(self) -> bool:
        """Whether it is of those that may follow on samples."""
        return self.name[:4] in KNOWN

    def read(self, file: BinaryIO, most: int = 4096) -> bytes:
        """The begin of its body."""
        file.seek(self.begin)
        return file.read(max(0, min(most, self.claimed)))


def walk(file: BinaryIO, form: ChunkForm, start: int, size: int) -> Iterator[Chunk]:
    """Chunks from a byte on, that of the samples the last of them.

    Args:
        file: read from; it may be used between two chunks.
        form: of the chunks.
        start: the first byte of the first.
        size: of the file.
    """
    chunk = _chunk_at(file, form, start, size)
    while chunk is not None:
        yield chunk
        if chunk.name == form.samples:
            return
        chunk = next_chunk(file, form, chunk.begin + chunk.claimed, size)


def first_of_each(file: BinaryIO, form: ChunkForm, start: int, size: int) -> dict[bytes, Chunk]:
    """The first chunk of each name, among those that `walk` gives."""
    found: dict[bytes, Chunk] = {}
    for chunk in walk(file, form, start, size):
        found.setdefault(chunk.name, chunk)
    return found


def next_chunk(file: BinaryIO, form: ChunkForm, end: int, size: int) -> Chunk | None:
    """The chunk that follows on a body that ends at a byte, with or without padding."""
    for position in (-(-end // form.alignment) * form.alignment, end):
        chunk = _chunk_at(file, form, position, size)
        if chunk is not None and (
            0 <= chunk.claimed <= size - chunk.begin or chunk.is_known or chunk.name == form.samples
        ):
            return chunk
    return None


def chunk_near(file: BinaryIO, form: ChunkForm, end: int, size: int) -> Chunk | None:
    """A chunk of a known name that begins slightly before or behind a byte."""
    start = max(0, end - SLIGHTLY)
    file.seek(start)
    window = file.read(2 * SLIGHTLY + 4)
    for at in range(len(window) - 3):
        chunk = _chunk_at(file, form, start + at, size) if window[at : at + 4] in KNOWN else None
        if chunk is not None and 0 <= chunk.claimed <= size - chunk.begin:
            return chunk
    return None


def end_of_chunks(file: BinaryIO, form: ChunkForm, first: Chunk, size: int) -> int:
    """The byte behind the last of the chunks that follow on the samples.

    Raises:
        AudioError: one of them holds samples, or another file begins there.
    """
    end, chunk = first.start, first
    following: Chunk | None = first
    while following is not None:
        chunk = following
        if chunk.name == form.samples and chunk.claimed > form.counted:
            found = f"its samples lie in several chunks, of which one begins at byte {chunk.start}"
            raise AudioError(found, advice="make one of them, such as by ffmpeg")
        if chunk.name[:4] in SECOND_FILES:
            raise AudioError(f"a second audio file begins at its byte {chunk.start}", advice="cut it in two")
        end = chunk.begin + chunk.claimed
        following = next_chunk(file, form, end, size)
    return min(end, size)


def are_chunks(file: BinaryIO, form: ChunkForm, position: int, size: int) -> bool:
    """Whether chunks of any name, none of them empty, fill the file from a byte on."""
    while position <= size - form.header.size:
        file.seek(position)
        claimed = form.header.unpack(file.read(form.header.size))[1] - form.counted
        if claimed <= 0:
            return False
        end = position + form.header.size + claimed
        position = -(-end // form.alignment) * form.alignment
        if end == size:
            return True
    return position == size


def no_samples(size: int) -> AudioError:
    """The error of a file in which no chunk of samples was found."""
    return AudioError(f"cut short or corrupt: no samples found in its {size} bytes")


def _chunk_at(file: BinaryIO, form: ChunkForm, position: int, size: int) -> Chunk | None:
    """The chunk whose header begins at a byte, if it looks like one."""
    if not 0 <= position <= size - form.header.size:
        return None
    file.seek(position)
    name, claimed = form.header.unpack(file.read(form.header.size))
    if not all(0x20 <= byte < 0x7F for byte in name[:4]):
        return None
    return Chunk(name, position, position + form.header.size, claimed - form.counted)
