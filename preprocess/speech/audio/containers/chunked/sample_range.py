"""The bytes that are samples: by the header, by what follows on them, by the end of the file."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from .....errors import AudioError
from ...decoder import Decoder
from ...length_limits import END_TOLERANCE_SECONDS
from ...parts import Part, PartFile, Piece
from ..remainder import TAGS
from .chunks import ChunkForm, are_chunks, chunk_near, end_of_chunks, next_chunk

# Lengths of writers that do not know it yet, and cannot go back in a pipe: of arecord, ffmpeg, sox and their kin, all
# at 2 GiB or a little below or above. 0x7F000000 is sox's in AIFF.
UNKNOWN = (2_000_000_000, 0x7FFFF000, 0x7FFFFF00, 0x7FFFFFFF - 36, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
MIN_UNKNOWN = 0x7F000000 - 2**16  # of a file that is shorter
MIN_UNKNOWN_OF_64_BITS = 2**62
PADDING = 4096  # zeros up to the end of a sector
MOST_MISSING = 2**24  # bytes; no 50 ms are as long


@dataclass(frozen=True)
class Claim:
    """The samples of a file by its header.

    Attributes:
        begin: the first byte of them.
        length: bytes; None: unknown; 0: unknown, or none.
        file_end: the byte behind the last of the file; None: unknown.
        block: bytes that are decoded at once.
        is_readable: libsndfile reads the header as it is.
    """

    begin: int
    length: int | None
    file_end: int | None
    block: int = 1
    is_readable: bool = True


def length_of_32_bits(length: int, left: int) -> int | None:
    """The length that a header of 32 bits claims; None: unknown.

    Args:
        length: as it is written.
        left: bytes from the samples on to the end of the file.
    """
    return None if length in UNKNOWN or MIN_UNKNOWN <= length > left else length


def length_of_64_bits(length: int) -> int | None:
    """The length that a header of 64 bits claims, unsigned; None: unknown."""
    return None if length >= MIN_UNKNOWN_OF_64_BITS else length


@dataclass(frozen=True)
class SampleRange:
    """The samples of a file, as they are looked for.

    Attributes:
        file: read from.
        size: of it, bytes.
        claim: what its header says.
        header: makes a header for a number of bytes of samples that end with the file.
        form: of the chunks that may follow on the samples; None: none may.
    """

    file: BinaryIO
    size: int
    claim: Claim
    header: Callable[[int], bytes]
    form: ChunkForm | None = None

    def find(self) -> list[Part]:
        """The samples as a part; [] where libsndfile finds them by itself.

        Raises:
            AudioError: some are missing, or bytes remain that may be samples.
        """
        begin, length = self.claim.begin, self.claim.length
        left = max(0, self.size - begin)
        if not length and (left == 0 or not self._has_chunk(begin)):
            return [self._part(left)] if left else []
        length = length or 0
        if length > left:
            return [self._whole(length, left)]
        end, rest = self._end_and_rest(begin + length)
        if rest < self.size:
            end = self._end_with_rest(end, rest)
        return [] if self.claim.is_readable and end == begin + length else [self._part(end - begin)]

    def _has_chunk(self, position: int) -> bool:
        return (
            self.claim.length == 0
            and self.form is not None
            and bool(next_chunk(self.file, self.form, position, self.size))
        )

    def _whole(self, length: int, left: int) -> Part:
        """All that is left, where no more than the tolerance is missing."""
        whole, found = length - length % self.claim.block, left - left % self.claim.block
        if found > 0 and whole - found <= MOST_MISSING:
            part = self._part(found)
            expected = self._part(found, max(0, whole - found)).num_samples
            by_bytes = part.num_samples * (whole - found) / found
            if max(expected - part.num_samples, by_bytes) <= END_TOLERANCE_SECONDS * part.sample_rate:
                return part
        raise AudioError(f"cut short: its header says {length} bytes of samples, found {left}")

    def _end_and_rest(self, end: int) -> tuple[int, int]:
        """The end of the samples, and of the chunks that follow on them."""
        if self.form is None:
            return end, end
        chunk = next_chunk(self.file, self.form, end, self.size)
        if chunk is None or not chunk.is_known:
            near = chunk_near(self.file, self.form, end, self.size)
            chunk, end = (near, near.start) if near else (chunk, end)
        if chunk is None:
            return end, end
        if (end - self.claim.begin) % self.claim.block:
            end = chunk.start
        return end, end_of_chunks(self.file, self.form, chunk, self.size)

    def _end_with_rest(self, end: int, rest: int) -> int:
        """The end of the samples, where something unknown is at the end of the file.

        Raises:
            AudioError: it may be samples.
        """
        count, file_end = self.size - rest, self.claim.file_end
        self.file.seek(rest)
        start = self.file.read(PADDING + 1)
        if self.form and count < self.form.alignment:
            return self.size if (end - self.claim.begin) % self.claim.block else end
        if start.startswith(TAGS) or (self.form and are_chunks(self.file, self.form, rest, self.size)):
            return end
        if rest == end and (file_end is None or rest < file_end >= self.size - 1):
            return self.size
        if len(start) <= PADDING and not any(start):
            return end
        before, behind = self._part(end - self.claim.begin), self._part(end - self.claim.begin + count)
        if behind.num_samples - before.num_samples <= END_TOLERANCE_SECONDS * before.sample_rate:
            return end
        raise AudioError(
            f"its header says {self.claim.length} bytes of samples; what are the {count} from byte {rest} on?",
            advice="correct its header, or cut the file there",
        )

    def _part(self, length: int, missing: int = 0) -> Part:
        """The first bytes of the samples as a part, `missing` zeros behind them."""
        samples = range(self.claim.begin, min(self.claim.begin + length, self.size))
        pieces: tuple[Piece, ...] = (self.header(length + missing), samples, *([bytes(missing)] if missing else []))
        with contextlib.closing(Decoder(PartFile(self.file, pieces))) as decoder:
            return Part(pieces, decoder.num_samples, decoder.sample_rate)
