"""Frames of MPEG audio in a file: their places, found from header to header, past tags, zeros and what is damaged."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .....errors import AudioError
from ..tags import TAG_STARTS, behind_tags, nameless_tag_end, start_of_last_tags, tag_end
from ..window import WINDOW_BYTES, Window
from .headers import HEADER_BYTES, MONO, FrameKind, all_kinds, sizes_of

# A header may stand in any bytes by chance, three at the right distances do not.
AGREEING_HEADERS = 3
FIRST_BYTES = 64  # of a frame: all that is looked at
FIRST_FRAME_WITHIN = 2**16
# Where so many bytes look like frames and are none, all up to the end is taken for something else.
MAX_FALSE_STARTS = 2**14
# Damage of a frame is passed over, as every player does; more is audio that would be missed.
LOST_SECONDS, LOST_PORTION = 0.05, 0.01

FRAME_OR_TAG = re.compile(rb"\xff[\xe2-\xff]|" + TAG_STARTS.pattern)
VBRI_OFFSET = 36
LENGTH_HEADERS = (b"Xing", b"Info", b"VBRI")


@dataclass(frozen=True)
class Frames:
    """Frames of a file that follow each other, as one encoder wrote them.

    Attributes:
        kind: of all.
        is_mono: whether they have one channel.
        starts: (N,) int64 bytes of the file.
        sizes: (N,) int64 bytes.
        header: the first bytes of the frame in front of them that tells of their number in place of sound; b"" where
            there is none.
    """

    kind: FrameKind
    is_mono: bool
    starts: np.ndarray
    sizes: np.ndarray
    header: bytes = b""


@dataclass(frozen=True)
class _Stretch:
    """Frames of a stretch of a file, one kind, without a gap; `flags` is 1 for mono, 2 for a header of length."""

    kind: FrameKind
    starts: np.ndarray
    sizes: np.ndarray
    flags: np.ndarray


def find_frames(window: Window) -> list[Frames]:
    """All frames of a file; [] where its first 64 kB hold none.

    Raises:
        AudioError: more than a frame is damaged, or the file holds something else as well.
    """
    return _Walk(window).frames()


class _Walk:
    """The way through a file, from header to header."""

    def __init__(self, window: Window) -> None:
        self._window, self._end = window, start_of_last_tags(window)
        self._found: list[_Stretch] = []
        self._lost: list[range] = []

    def frames(self) -> list[Frames]:
        """See `find_frames`."""
        position = behind_tags(self._window, 0)
        while position < self._end:
            if kind := self._kind_at(position):
                position = behind_tags(self._window, self._follow(kind, position))
            else:
                position = behind_tags(self._window, self._resume(position))
                if not self._found and position >= self._end:
                    return []
        self._check_lost()
        return list(self._joined())

    def _kind_at(self, position: int) -> FrameKind | None:
        """The kind of frame that begins at a byte, if the headers behind it agree."""
        kind = all_kinds().get(self._window.take(position, 3))
        if kind is None:
            return None
        sizes = sizes_of(kind)
        for number in range(1, AGREEING_HEADERS):
            position += sizes[self._window.take(position, 3)]
            if position == self._end or tag_end(self._window, position) > position:
                return kind
            if position > self._end:
                return kind if number > 1 else None
            if self._window.take(position, 3) not in sizes:
                return None
        return kind

    def _follow(self, kind: FrameKind, position: int) -> int:
        """Go along frames of one kind; the byte behind the last."""
        sizes = sizes_of(kind)
        while position < self._end:
            offset, content = self._window.around(position, FIRST_BYTES)
            is_last = offset + len(content) >= self._end
            limit = self._end - offset - 1 if is_last else len(content) - FIRST_BYTES
            starts, at = [], position - offset
            while at <= limit and (size := sizes.get(content[at : at + 3])):
                starts.append(at)
                at += size
            if starts:
                bounds = np.array([*starts, at], np.int64)
                flags = _flags(kind, content, bounds[:-1])
                self._found.append(_Stretch(kind, offset + bounds[:-1], np.diff(bounds), flags))
                position = offset + at
            if at <= limit:
                break
        if position > self._end:  # the last frame was cut: it is at most 72 ms, and no player gives anything of it
            self._drop_last_frame()
        return min(position, self._end)

    def _resume(self, position: int) -> int:
        """The next frame, tag or end behind what is neither; what is passed over is kept in mind, but for zeros."""
        if (behind := nameless_tag_end(self._window, position)) > position:
            return behind
        last = int(self._found[-1].starts[-1]) if self._found else -1
        was_last = self._found and last + self._found[-1].sizes[-1] == position
        found = self._next_start(last + HEADER_BYTES if was_last else position)
        if found < position:  # the last frame was cut
            self._drop_last_frame()
            position = last
        gap = range(position, found)
        if self._has_content(gap):
            self._lost.append(gap)
        return found

    def _next_start(self, position: int) -> int:
        limit = self._end if self._found else min(self._end, position + FIRST_FRAME_WITHIN)
        num_false = 0
        while position < limit:
            offset, content = self._window.around(position, FIRST_BYTES)
            for match in FRAME_OR_TAG.finditer(content, position - offset, max(0, limit - offset)):
                start = offset + match.start()
                behind = behind_tags(self._window, start)
                if (behind > start and behind >= self._end) or self._kind_at(behind):
                    return start
                num_false += 1
                if num_false > MAX_FALSE_STARTS:
                    return self._end
            if offset + len(content) >= limit or not content:
                break
            position = offset + len(content) - FIRST_BYTES
        return self._end

    def _has_content(self, gap: range) -> bool:
        blocks = gap[::WINDOW_BYTES]
        return any(self._window.take(at, min(WINDOW_BYTES, gap.stop - at)).strip(b"\0") for at in blocks)

    def _drop_last_frame(self) -> None:
        last = self._found.pop()
        if len(last.starts) > 1:
            self._found.append(_Stretch(last.kind, last.starts[:-1], last.sizes[:-1], last.flags[:-1]))

    def _check_lost(self) -> None:
        num_bytes = sum(int(stretch.sizes.sum()) for stretch in self._found)
        seconds = sum(len(stretch.starts) * stretch.kind.seconds for stretch in self._found)
        at_once = max(
            LOST_SECONDS * num_bytes / max(seconds, LOST_SECONDS),
            max((int(stretch.sizes.max()) for stretch in self._found), default=0),
        )
        lost = [len(gap) for gap in self._lost]
        if lost and (max(lost) > at_once or sum(lost) > max(at_once, LOST_PORTION * num_bytes)):
            worst = self._lost[lost.index(max(lost))]
            more = f" (and {sum(lost) - len(worst)} at {len(lost) - 1} other places)" if len(lost) > 1 else ""
            raise AudioError(
                f"bytes {worst.start} to {worst.stop} of the file{more} are damaged, or no MPEG audio",
                advice="listen to it; if nothing is missing, let ffmpeg make FLAC of it",
            )

    def _joined(self) -> Iterator[Frames]:
        """Frames that were found, split where the kind, the channels or the encoder change."""
        for kind, same in itertools.groupby(self._found, key=lambda stretch: stretch.kind):
            stretches = list(same)
            starts = np.concatenate([stretch.starts for stretch in stretches])
            sizes = np.concatenate([stretch.sizes for stretch in stretches])
            flags = np.concatenate([stretch.flags for stretch in stretches])
            changes = np.flatnonzero((flags[1:] & 1 != flags[:-1] & 1) | (flags[1:] & 2 > 0)) + 1
            for first, last in itertools.pairwise([0, *changes.tolist(), len(starts)]):
                is_header = bool(flags[first] & 2)
                header = self._window.take(int(starts[first]), int(sizes[first])) if is_header else b""
                frames = slice(first + is_header, last)
                yield Frames(kind, bool(flags[first] & 1), starts[frames], sizes[frames], header)


def _flags(kind: FrameKind, content: bytes, starts: np.ndarray) -> np.ndarray:
    array = np.frombuffer(content + bytes(FIRST_BYTES), np.uint8)
    is_mono = array[starts + HEADER_BYTES - 1] >> 6 == MONO
    if kind.layer != 3:
        return is_mono.astype(np.uint8)
    words = sliding_window_view(array, 4)
    side_bytes = np.where(is_mono, kind.side_bytes(True), kind.side_bytes(False))
    places = (starts + HEADER_BYTES + side_bytes, starts + HEADER_BYTES + 2 + side_bytes, starts + VBRI_OFFSET)
    is_header = np.zeros(len(starts), bool)
    for place in places:
        found = np.ascontiguousarray(words[place]).view(">u4")[:, 0]
        is_header |= np.isin(found, [int.from_bytes(name, "big") for name in LENGTH_HEADERS])
    return is_mono | is_header.astype(np.uint8) << 1
