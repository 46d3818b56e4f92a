"""FLAC files: how many samples each stream in them holds, by the number of its last whole frame.

A recorder that writes to a pipe leaves the total in the header unknown or wrong; `cat` joins streams, of which
libFLAC reads the first; a file may be cut short, and have tags at both ends.
"""

import io
import itertools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .....errors import AudioError
from ...decoder import FAULTS, Decoder
from ...length_limits import END_TOLERANCE_SECONDS
from ...parts import Part
from ..remainder import FEW_BYTES, check_remainder, holds_nothing
from .frames import (
    HEADER_BYTES,
    MARKER,
    MAX_FRAME_HEADER_BYTES,
    STREAMINFO_BYTES,
    Frame,
    StreamInfo,
    ends_of_checksum,
)

LIBSNDFILE_BITS = (8, 16, 24)
SEARCHED_AT_ONCE = 2**20  # bytes
MAX_BROKEN_FRAMES = 16
MAX_SYNCS = 2**16  # looked at for the last frame: those that a damaged GB has by chance, four times over
REMUX_ADVICE = "write it again: ffmpeg -i FILE NEW.flac"


@dataclass(frozen=True)
class Stream:
    """One FLAC stream of a file.

    Attributes:
        info: its header.
        start: its first byte in the file.
        frames_start: the first byte of its first frame.
        stop: the byte behind it.
    """

    info: StreamInfo
    start: int
    frames_start: int
    stop: int


def find_flac_parts(file: BinaryIO, size: int) -> list[Part]:
    """The streams of a FLAC file; see `find_parts`."""
    parts: list[Part] = []
    is_plain = True
    for stream in _streams(file, size):
        num_samples, stop = count_samples(file, stream)
        is_right = num_samples == stream.info.num_samples
        is_plain = is_plain and is_right and num_samples > 0
        start, head = stream.start, stream.start + HEADER_BYTES
        pieces = (
            (range(start, stop),)
            if is_right
            else (stream.info.header(num_samples, is_last=head == stream.frames_start), range(head, stop))
        )
        parts.append(Part(pieces, num_samples, stream.info.sample_rate))
    return [] if is_plain and len(parts) == 1 and start == 0 else parts


def count_samples(file: BinaryIO, stream: Stream) -> tuple[int, int]:
    """Samples a channel in a stream, and the byte that it is read up to.

    Raises:
        AudioError: it is cut short.
    """
    info = stream.info
    if info.bits not in LIBSNDFILE_BITS:
        raise AudioError(f"FLAC of {info.bits} bits a sample, expected 8, 16 or 24", advice=REMUX_ADVICE)
    if stream.frames_start == stream.stop and not info.num_samples:
        return 0, stream.stop
    first = _frame_at(file, stream.frames_start, stream)
    if first is None:
        raise AudioError("corrupt or cut short: no frame of FLAC follows its header")
    if first.number:
        raise AudioError(f"its begin was cut off: it begins with the number {first.number}", advice=REMUX_ADVICE)
    last, cut, stop = _last_frames(file, stream, first)
    _check_numbers(file, stream, first, last)
    found = last.block_size + last.number * (1 if last.counts_samples else first.block_size)
    tolerance = END_TOLERANCE_SECONDS * info.sample_rate
    if info.num_samples - found > tolerance:
        raise AudioError(f"cut short: its header says {info.num_samples} samples, found {found}")
    if cut and cut.block_size > tolerance and info.num_samples != found:
        raise AudioError(f"cut short: after {found} samples, within a frame")
    return found, stop


def _streams(file: BinaryIO, size: int) -> Iterator[Stream]:
    """The streams in a file, each up to where the next begins."""
    start: int | None = 0
    markers = _markers(file, 0)
    while start is not None:
        info, frames_start = _read_metadata(file, start, size)
        following = next((marker for marker in markers if marker >= frames_start), None)
        yield Stream(info, start, frames_start, size if following is None else following)
        start = following


def _markers(file: BinaryIO, start: int) -> Iterator[int]:
    """Bytes at which FLAC streams may begin: a marker, and the header of a STREAMINFO."""
    overlap = len(MARKER) + 3
    while True:
        file.seek(start)
        chunk = file.read(SEARCHED_AT_ONCE + overlap)
        at = chunk.find(MARKER)
        while 0 <= at < SEARCHED_AT_ONCE:
            if chunk[at + 5 : at + 8] == STREAMINFO_BYTES.to_bytes(3, "big") and chunk[at + 4] & 0x7F == 0:
                yield start + at
            at = chunk.find(MARKER, at + 1)
        if len(chunk) < SEARCHED_AT_ONCE + overlap:
            return
        start += SEARCHED_AT_ONCE


def _read_metadata(file: BinaryIO, start: int, size: int) -> tuple[StreamInfo, int]:
    """The header of a stream, and the first byte of its frames."""
    file.seek(start)
    header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or header[4] & 0x7F or header[5:8] != STREAMINFO_BYTES.to_bytes(3, "big"):
        raise AudioError("corrupt or cut short: the FLAC header is not whole")
    is_last, at = header[4] >> 7, start + HEADER_BYTES
    while not is_last:
        file.seek(at)
        block = file.read(4)
        at += 4 + int.from_bytes(block[1:], "big")
        if len(block) < 4 or at > size:
            raise AudioError("cut short: within its metadata")
        is_last = block[0] >> 7
    return StreamInfo.parse(header[8:]), at


def _frame_at(file: BinaryIO, at: int, stream: Stream) -> Frame | None:
    file.seek(at)
    return Frame.parse(file.read(min(MAX_FRAME_HEADER_BYTES, stream.stop - at)), stream.info)


def _last_frames(file: BinaryIO, stream: Stream, first: Frame) -> tuple[Frame, Frame | None, int]:
    """The last whole frame; one behind it that is cut; the byte to read up to."""
    broken: Frame | None = None
    broken_at, tried = stream.stop, 0
    for at in itertools.islice(_last_syncs(file, stream, first.sync), MAX_SYNCS):
        frame = _frame_at(file, at, stream)
        if frame is None:
            continue
        if _is_whole(file, at, stream.stop, frame, stream.info):
            # A whole frame may hold what looks like the header of another: then it is not whole without it.
            if broken and _is_whole(file, at, broken_at, frame, stream.info):
                return frame, broken, broken_at
            # Checksums of all its bytes take longer than decoding it.
            if _is_whole(file, at, max(at, stream.stop - FEW_BYTES), frame, stream.info):
                _check_behind(file, at, frame, stream)
            return frame, None, stream.stop
        broken, broken_at, tried = frame, at, tried + 1
        if tried == MAX_BROKEN_FRAMES:
            break
    raise AudioError("corrupt or cut short: none of its last frames is whole")


def _check_behind(file: BinaryIO, start: int, frame: Frame, stream: Stream) -> None:
    """Check the bytes behind the last frame, which begins at `start`; its checksum tells where it ends.

    Raises:
        AudioError: they are neither tags nor zeros.
    """
    file.seek(start)
    content = file.read(min(stream.stop - start, _most_bytes(frame, stream.info)))
    ends = [start + end for end in ends_of_checksum(content)]
    if not any(holds_nothing(file, end, stream.stop) for end in ends):
        check_remainder(file, ends[-1] if ends else start, stream.stop)


def _check_numbers(file: BinaryIO, stream: Stream, first: Frame, last: Frame) -> None:
    """Check that all frames are there, by their numbers; libFLAC puts silence in the place of one that is not.

    Raises:
        AudioError: one is missing or damaged.
    """
    number, position, syncs = 0, stream.frames_start, re.compile(re.escape(first.sync))
    while number <= last.number:
        file.seek(position)
        window = file.read(min(SEARCHED_AT_ONCE, stream.stop - position))
        for found in syncs.finditer(window):  # takes half as long as `find`
            if number > last.number:
                break
            number += _step(window, found.start(), number, stream.info, last.counts_samples)
        if number <= last.number and position + len(window) >= stream.stop:
            kind, total = ("sample", last.block_size) if last.counts_samples else ("frame", 1)
            raise AudioError(
                f"{kind} {number + 1} of its {last.number + total} is missing or damaged", advice="get the file again"
            )
        position += max(1, len(window) - MAX_FRAME_HEADER_BYTES)


def _step(window: bytes, at: int, number: int, info: StreamInfo, counts_samples: bool) -> int:
    """Step from a frame's number to the next one, if that frame begins at a byte; else 0."""
    if not counts_samples and number <= sys.maxunicode:  # numbers are coded as UTF-8 codes characters
        return int(window.startswith(chr(number).encode("utf-8", "surrogatepass"), at + 4))
    frame = Frame.parse(window[at : at + MAX_FRAME_HEADER_BYTES], info)
    if frame is None or frame.number != number:
        return 0
    return frame.block_size if counts_samples else 1


def _last_syncs(file: BinaryIO, stream: Stream, sync: bytes) -> Iterator[int]:
    """Bytes at which frames may begin, backwards from the end of a stream."""
    stop, length = stream.stop, 2**16
    while stop > stream.frames_start:
        start = max(stream.frames_start, stop - length)
        file.seek(start)
        window = file.read(min(stop + 1, stream.stop) - start)  # a sync of two bytes may begin at the last of them
        at = window.rfind(sync)
        while at >= 0:
            yield start + at
            at = window.rfind(sync, 0, at + 1)
        stop, length = start, min(2 * length, SEARCHED_AT_ONCE)


def _most_bytes(frame: Frame, info: StreamInfo) -> int:
    """Bytes that a frame has at most."""
    return 2 * MAX_FRAME_HEADER_BYTES + info.channels * (8 + (info.bits + 1) * frame.block_size // 8)


def _is_whole(file: BinaryIO, start: int, stop: int, frame: Frame, info: StreamInfo) -> bool:
    """Whether a frame can be decoded; its checksum is right then."""
    file.seek(start)
    content = file.read(min(stop - start, _most_bytes(frame, info)))
    decoder = None
    try:
        decoder = Decoder(io.BytesIO(info.header(frame.block_size, is_last=True) + content))
        return len(decoder.read(0, frame.block_size)) == frame.block_size
    except FAULTS:
        return False
    finally:
        if decoder:
            decoder.close()
