"""Headers of MPEG audio frames (ISO/IEC 11172-3 and 13818-3, and MPEG 2.5): what three bytes say of a frame."""

import functools
import itertools
from dataclasses import dataclass

SYNC = 0xFF
HEADER_BYTES = 4
MONO = 3  # of the two highest bits of the fourth byte
VERSION_1, VERSION_2, VERSION_2_5 = 3, 2, 0
# kbit/s by the four bits of a header; 0 is "free format", 15 is not used.
RATES_1 = {
    1: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
RATES_2 = {
    1: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
SAMPLE_RATES = {VERSION_1: (44100, 48000, 32000), VERSION_2: (22050, 24000, 16000), VERSION_2_5: (11025, 12000, 8000)}


@dataclass(frozen=True)
class FrameKind:
    """Properties that all frames of a stream share, but for their channels.

    Attributes:
        version: the two bits of a header, VERSION_1 to VERSION_2_5.
        layer: 1 to 3.
        rate_index: of the sampling rate, 0 to 2.
    """

    version: int
    layer: int
    rate_index: int

    @property
    def sample_rate(self) -> int:
        """Sampling rate, Hz."""
        return SAMPLE_RATES[self.version][self.rate_index]

    @property
    def samples(self) -> int:
        """Samples a channel of a frame."""
        if self.layer == 1:
            return 384
        return 576 if self.layer == 3 and self.version != VERSION_1 else 1152

    @property
    def seconds(self) -> float:
        """Length of a frame."""
        return self.samples / self.sample_rate

    @property
    def bit_rates(self) -> tuple[int, ...]:
        """Bit rates by their index - 1, kbit/s."""
        return (RATES_1 if self.version == VERSION_1 else RATES_2)[self.layer]

    def side_bytes(self, is_mono: bool) -> int:
        """Bytes of side information behind a header of layer III."""
        if self.version == VERSION_1:
            return 17 if is_mono else 32
        return 9 if is_mono else 17

    def least_bytes(self, is_mono: bool) -> int:
        """Bytes of a frame of silence: header, and side information or how many bits each band has."""
        if self.layer == 3:
            return HEADER_BYTES + self.side_bytes(is_mono)
        return HEADER_BYTES + (16 if is_mono else 32)

    @property
    def slot_bytes(self) -> int:
        """Bytes by which padding makes a frame longer."""
        return 4 if self.layer == 1 else 1

    def size(self, rate_index: int, padding: int = 0) -> int:
        """Bytes of a frame.

        Args:
            rate_index: of the bit rate, 1 to 14.
            padding: 1 where a slot is added.
        """
        slots = self.samples * 125 * self.bit_rates[rate_index - 1] // (self.sample_rate * self.slot_bytes)
        return (slots + padding) * self.slot_bytes

    def header(self, rate_index: int, is_mono: bool) -> bytes:
        """The header of a frame without checksum and padding."""
        second = 0xE0 | self.version << 3 | (4 - self.layer) << 1 | 1
        return bytes([SYNC, second, rate_index << 4 | self.rate_index << 2, MONO << 6 if is_mono else 0])


@functools.cache
def all_kinds() -> dict[bytes, FrameKind]:
    """The kind of frame of each three bytes that a frame may begin with."""
    return {start: kind for kind in _kinds() for start in sizes_of(kind)}


@functools.cache
def sizes_of(kind: FrameKind) -> dict[bytes, int]:
    """Bytes of a frame of this kind, by the three that it begins with; free format is left out."""
    sizes = {}
    for rate_index, padding in itertools.product(range(1, 15), (0, 1)):
        sync, second, third, _ = kind.header(rate_index, False)
        size = kind.size(rate_index, padding)
        for has_no_checksum, private in itertools.product((0, 1), (0, 1)):
            start = bytes([sync, second & ~1 | has_no_checksum, third | padding << 1 | private])
            sizes[start] = size
    return sizes


def is_sync(start: bytes) -> bool:
    """Whether bytes begin as a frame of MPEG audio does, of any bit rate; those of AAC have layer 0."""
    return len(start) > 1 and start[0] == SYNC and start[1] & 0xE0 == 0xE0 and start[1] & 0x06 != 0


def _kinds() -> list[FrameKind]:
    return [FrameKind(*parts) for parts in itertools.product(SAMPLE_RATES, (1, 2, 3), (0, 1, 2))]
