"""A stream of sound in an Ogg file: what its pages hold, and its pages put right.

Decoders trust what pages say of themselves: their numbers, the position that each ends at, and which one is the last.
Streams cut from a broadcast begin anywhere, others end without an end or with two: such pages are written again, with
positions counted by the packets on them.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from .....errors import AudioError
from ...length_limits import END_TOLERANCE_SECONDS
from ...parts import Part, Piece
from .codecs import Codec, Flac, Opus
from .pages import CONTINUED, FIRST, LAST, NO_GRANULE, Page

REMUX_ADVICE = "ffmpeg -i FILE NEW.flac writes what is left of it"


@dataclass(frozen=True)
class SoundPage:
    """A page with sound.

    Attributes:
        page: its header.
        end: the position that it ends at, counted by packets from 0.
        ends_packet: whether a packet ends on it; else it has no position.
    """

    page: Page
    end: int
    ends_packet: bool

    @property
    def shift(self) -> int | None:
        """The position that it states, less the one counted; None if it states none."""
        return self.page.granule - self.end if self.ends_packet and self.page.granule != NO_GRANULE else None


class Stream:
    """The pages of one stream of sound; add them in order.

    Attributes:
        codec: its own.
    """

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self._header_pages: list[Page] = []
        self._pages: list[SoundPage] = []
        self._broken_in_front: list[Page] = []  # of all pages with sound
        self._broken: list[Page] = []  # behind them
        self._num_headers = 0
        self._rest: bytes | None = b""  # of the packet that goes on; None: its begin is lost

    def add(self, page: Page, body: bytes) -> None:
        """Take a page, whole or not."""
        if not page.is_whole:
            (self._broken if self._pages else self._broken_in_front).append(page)
            return
        self._broken.clear()  # what is lost there shows in the number of this page
        if not page.flags & CONTINUED:
            self._rest = b""
        elif not self._rest:
            self._rest = None
        packets = self._packets(page, body)
        ends_packet = min(page.lacing, default=255) < 255  # even if its begin is lost
        if not self._pages:
            while packets and self.codec.takes_header(self._num_headers, packets[0]):
                del packets[0]
                self._num_headers += 1
            if not packets and (ends_packet or self._num_headers < self.codec.num_headers):
                self._header_pages.append(page)
                return
        end = self._pages[-1].end if self._pages else 0
        self._pages.append(SoundPage(page, end + self.codec.duration(packets), ends_packet))

    def part(self, file: BinaryIO) -> Part:
        """The stream as a file of its own.

        Args:
            file: that it lies in.

        Raises:
            AudioError: sound is missing.
        """
        codec = self.codec
        self._check_gaps()
        self._check_ends()
        end = self._end()
        num_samples = max(0, end - codec.skipped) * codec.sample_rate // codec.granule_rate
        if isinstance(codec, Flac):
            if codec.first_number:
                raise AudioError(
                    f"its begin was cut off: it begins with the number {codec.first_number}", advice=REMUX_ADVICE
                )
            pieces: Iterable[Piece] = [
                codec.info.header(num_samples, is_last=True),
                *(sound.page.body for sound in self._pages),
            ]
        else:
            pieces = self._right_pages(file, end)
        return Part(tuple(_joined(pieces)), num_samples, codec.sample_rate)

    def _packets(self, page: Page, body: bytes) -> list[bytes]:
        """The packets that end on a page."""
        ends = [at for at, length in zip(itertools.accumulate(page.lacing), page.lacing, strict=True) if length < 255]
        if not ends:
            if self._rest is not None:
                self._rest += body
            return []
        packets = [body[start:stop] for start, stop in itertools.pairwise([0, *ends])]
        if self._rest is None:
            del packets[0]
        else:
            packets[0] = self._rest + packets[0]
        self._rest = body[ends[-1] :]
        return packets

    def _check_gaps(self) -> None:
        """Compare numbers and positions of the pages: where both jump, sound is missing."""
        expected = shift_before = gap = None
        lost = 0
        for sound in self._pages:
            if expected not in (None, sound.page.number):
                gap = sound.page.start
            expected = sound.page.number + 1 & 0xFFFFFFFF
            if sound.shift is None:
                continue
            if gap is not None and shift_before is not None:
                lost += max(0, sound.shift - shift_before)
                if lost > END_TOLERANCE_SECONDS * self.codec.granule_rate:
                    seconds = lost / self.codec.granule_rate
                    raise AudioError(
                        f"corrupt: {seconds:.2f} s of sound are missing before byte {gap}", advice=REMUX_ADVICE
                    )
            gap, shift_before = None, sound.shift

    def _check_ends(self) -> None:
        """Look at pages in front of all others and behind them that are not whole: sound may be lost there."""
        if self._num_headers < self.codec.num_headers and not self._broken_in_front:
            raise AudioError(f"cut short: within its headers of {self.codec.name}")
        pages = [*self._header_pages, *(sound.page for sound in self._pages)]
        stated = [page.granule for page in pages if page.granule != NO_GRANULE]
        for broken in [*self._broken_in_front, *self._broken]:
            lost = broken.granule - stated[-1] if broken.granule != NO_GRANULE and stated else None
            tolerance = END_TOLERANCE_SECONDS * self.codec.granule_rate
            if self._pages and (pages[-1].flags & LAST if lost is None else 0 <= lost <= tolerance):
                continue
            raise AudioError(f"cut short or corrupt: its page at byte {broken.start} is not whole", advice=REMUX_ADVICE)

    def _end(self) -> int:
        """The position at which its sound ends: its last page may say that it ends before its last packet does."""
        with_packets = [index for index, sound in enumerate(self._pages) if sound.ends_packet]
        if not with_packets:
            return 0
        last = with_packets[-1]
        end, end_before = self._pages[last].end, self._pages[last - 1].end if last else 0
        stated = [(sound.page.granule, sound.shift) for sound in self._pages[:last] if sound.shift is not None]
        *_, shift_before, shift = [0, 0, *(shift for _, shift in stated)]
        # A position at which pages with sound stand still says nothing.
        stuck_at = stated[-1][0] if shift < shift_before else None
        for sound in reversed(self._pages[last:]):
            if sound.page.granule != stuck_at and end_before <= sound.page.granule - shift <= end:
                return sound.page.granule - shift
        return end

    def _right_pages(self, file: BinaryIO, end: int) -> Iterator[Piece]:
        """Its pages, with other headers where what these say is not right.

        Args:
            file: that they lie in.
            end: position at which its sound ends.
        """
        pages = [(page, page.granule) for page in self._header_pages]
        pages += [(sound.page, sound.end if sound.ends_packet else NO_GRANULE) for sound in self._pages]
        if self._pages and not isinstance(self.codec, Opus):
            # libsndfile loses its place in a last packet of Opus that it is to cut: the part's length does that.
            pages[-1] = pages[-1][0], end
        first, last = 0, len(pages) - 1
        for index, (page, granule) in enumerate(pages):
            flags = page.flags & CONTINUED | FIRST * (index == first) | LAST * (index == last)
            number = pages[first][0].number + index & 0xFFFFFFFF
            if (page.flags, page.number, page.granule) == (flags, number, granule):
                yield range(page.start, page.body.stop)
            else:
                file.seek(page.body.start)
                right = replace(page, flags=flags, number=number, granule=granule)
                yield right.header(file.read(len(page.body)))
                yield page.body


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces, with ranges that follow each other as one."""
    waiting: range | None = None
    for piece in pieces:
        if isinstance(piece, range) and waiting and waiting.stop == piece.start:
            waiting = range(waiting.start, piece.stop)
            continue
        if waiting is not None:
            yield waiting
        waiting = piece if isinstance(piece, range) else None
        if isinstance(piece, bytes):
            yield piece
    if waiting is not None:
        yield waiting
