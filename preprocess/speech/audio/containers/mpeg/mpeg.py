"""MPEG audio, layers I to III (mp3, mp2): the length of a file by its frames, and parts from which it is decoded.

libmpg123 counts frames by the header that an encoder may have put in front, or by the size of the file and of its
first frame; it reads no further than the first of joined files; and after a seek, frames that take bits from many
earlier ones are wrong. So each part is some seconds of frames alone, with those in front that its first ones need.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from .....errors import AudioError
from ...parts import Part, Piece
from ..tags import behind_tags
from ..window import Window
from .frames import LENGTH_HEADERS, Frames, find_frames
from .headers import HEADER_BYTES, VERSION_1, is_sync

# What other formats that libsndfile knows begin with; all others are searched for frames.
OTHER_STARTS = (
    *(b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"OggS", b"fLaC", b".snd", b"dns.", b"caff", b"NIST", b"Crea"),
    *(b"SOUN", b"2BIT", b"PVF1", b"MATL", b"\0\0\x03\xe8", b"\0\0\x03\xec", b"ajkg", b"SDS "),
)

# Frames of a part, which is decoded as a whole: some 7 s.
PART_FRAMES = 256
# The filter bank keeps what the two frames before gave.
FILTER_FRAMES = 2
CUT_SECONDS = 0.05
# Samples that decoding gives in front of those that were encoded, of every decoder of layer III.
DECODER_DELAY = 529
# Of the encoders that tell how many samples they added.
GAPLESS_ENCODERS = (b"LAME", b"L3.9", b"Lavf", b"Lavc")
# Headers say one frame too few, or count themselves.
MISCOUNTED_FRAMES = 2


@dataclass(frozen=True)
class LengthHeader:
    """Contents of a Xing, Info or VBRI header: the frames behind it.

    Attributes:
        num_frames: 0 where it does not say.
        delay: samples that the encoder put in front; -1 where it does not say.
        padding: samples that it put behind.
    """

    num_frames: int = 0
    delay: int = -1
    padding: int = 0


def may_be_mpeg(start: bytes) -> bool:
    """Whether a file that begins with these bytes may be MPEG audio."""
    return not start.startswith(OTHER_STARTS)


def find_mpeg_parts(file: BinaryIO, size: int) -> list[Part]:
    """The parts of an mp3, mp2 or mp1 file; see `find_parts`.

    Raises:
        AudioError: the file is cut short, or holds audio that cannot be read.
    """
    window = Window(file, size)
    position = behind_tags(window, 0)
    start = window.take(position, HEADER_BYTES)
    if not may_be_mpeg(start):  # a tag in front of FLAC
        return []
    streams = find_frames(window)
    if not streams and (position > 0 or is_sync(start)):
        raise AudioError(
            "begins as MPEG audio does, but no frames of it follow, or some in free format",
            advice="let ffmpeg make FLAC of it",
        )
    parts: list[Part] = []
    for index, frames in enumerate(streams):
        header = read_length_header(frames)
        _check_count(header, streams[index:])
        for first, last in _sound(frames, header):
            parts += _parts(frames, first, last)
    return parts


def read_length_header(frames: Frames) -> LengthHeader:
    """Read the header in front of frames, if there is one."""
    content = frames.header
    place = min((found for name in LENGTH_HEADERS if (found := content.find(name, HEADER_BYTES)) >= 0), default=-1)
    if place < 0:
        return LengthHeader()
    if content.startswith(b"VBRI", place):
        return LengthHeader(int.from_bytes(content[place + 14 : place + 18], "big"))
    fields, place = content[place + 7], place + 8
    num_frames = int.from_bytes(content[place : place + 4], "big") if fields & 1 else 0
    # Each field is there if its bit says so: frames, bytes, table of places, quality.
    encoder = content[place + sum(length for bit, length in enumerate((4, 4, 100, 4)) if fields & 1 << bit) :]
    if encoder.startswith(GAPLESS_ENCODERS) and len(encoder) >= 24:
        both = int.from_bytes(encoder[21:24], "big")
        return LengthHeader(num_frames, both >> 12, both & 0xFFF)
    return LengthHeader(num_frames)


def _check_count(header: LengthHeader, streams: list[Frames]) -> None:
    """Check that there are as many frames as the first of these streams says."""
    kind, found = streams[0].kind, len(streams[0].starts)
    allowed = CUT_SECONDS / kind.seconds
    # Of joined files, a header made later counts all frames behind it, headers among them.
    in_all = sum(len(frames.starts) + bool(frames.header) for frames in streams)
    counts_all = len(streams) > 1 and abs(header.num_frames - in_all) <= MISCOUNTED_FRAMES
    if header.num_frames - found > allowed and not counts_all:
        raise AudioError(
            f"cut short: its header says {header.num_frames} frames, found {found} "
            f"({(header.num_frames - found) * kind.seconds:.2f} s less)"
        )


def _sound(frames: Frames, header: LengthHeader) -> list[tuple[int, int]]:
    """Begin and end of the sound of a stream, samples; the encoder added some at both ends."""
    samples, end = frames.kind.samples, frames.kind.samples * len(frames.starts)
    if header.delay < 0:
        return [(0, end)]
    begin = header.delay + DECODER_DELAY
    if not header.num_frames:
        return [(begin, end)]
    counted = header.num_frames * samples
    if 0 < end - counted <= MISCOUNTED_FRAMES * samples:
        counted = end
    # What stands behind the counted frames was joined to them.
    return [(begin, min(end, counted - max(0, header.padding - DECODER_DELAY))), (counted, end)]


def _parts(frames: Frames, begin: int, end: int) -> Iterator[Part]:
    """Parts that give the samples of a stream from one to another."""
    samples = frames.kind.samples
    for first in range(begin // samples, math.ceil(end / samples), PART_FRAMES):
        last = min(first + PART_FRAMES, math.ceil(end / samples))
        start, stop = max(begin, first * samples), min(end, last * samples)
        if start >= stop:
            continue
        decoded = slice(_first_needed(frames, first), last)
        yield Part(
            pieces=(_smallest_frame(frames), *_ranges(frames.starts[decoded], frames.sizes[decoded])),
            num_samples=stop - start,
            sample_rate=frames.kind.sample_rate,
            skipped=start - (decoded.start - 1) * samples,  # and those of the frame before
        )


def _first_needed(frames: Frames, first: int) -> int:
    """The frame to begin with so that frame `first` is decoded as if all had been."""
    start = max(0, first - FILTER_FRAMES)
    if frames.kind.layer < 3:
        return start
    # Layer III: a frame may begin in the bytes of earlier ones, as far back as its 9 or 8 bits can say.
    reach = 511 if frames.kind.version == VERSION_1 else 255
    overhead = HEADER_BYTES + 2 + frames.kind.side_bytes(frames.is_mono)
    while start > 0 and reach > 0:
        start -= 1
        reach -= max(0, int(frames.sizes[start]) - overhead)
    return start


def _ranges(starts: np.ndarray, sizes: np.ndarray) -> list[Piece]:
    """Bytes of frames, those that touch in one."""
    ends = starts + sizes
    gaps = np.flatnonzero(starts[1:] != ends[:-1]) + 1
    firsts, lasts = [0, *gaps.tolist()], [*(gaps - 1).tolist(), len(starts) - 1]
    return [range(int(starts[first]), int(ends[last])) for first, last in zip(firsts, lasts, strict=True)]


def _smallest_frame(frames: Frames) -> bytes:
    """A frame of silence that is as small as any of these.

    libmpg123 guesses how many frames there are by the sizes of the file and of the first one, so that it never counts
    too few. A Xing header would tell their number, but then it drops samples at the begin.
    """
    kind = frames.kind
    index = next(index for index in range(1, 15) if kind.size(index) >= kind.least_bytes(frames.is_mono))
    header = kind.header(index, frames.is_mono)
    return header + bytes(kind.size(index) - len(header))
