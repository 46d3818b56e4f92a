"""Headers of FLAC (RFC 9639): that of a stream, STREAMINFO, and those of its frames."""

from dataclasses import dataclass
from typing import Self

MARKER = b"fLaC"
STREAMINFO_BYTES = 34
HEADER_BYTES = len(MARKER) + 4 + STREAMINFO_BYTES  # the marker, a block header, STREAMINFO
MAX_FRAME_HEADER_BYTES = 16

_BITS = {1: 8, 2: 12, 4: 16, 5: 20, 6: 24, 7: 32}
_BLOCK_SIZES = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608} | {code: 1 << code for code in range(8, 16)}


@dataclass(frozen=True)
class StreamInfo:
    """The header of a FLAC stream.

    Attributes:
        block: the 34 bytes of STREAMINFO.
        sample_rate: Hz.
        channels: how many.
        bits: a sample.
        num_samples: a channel; 0: unknown.
    """

    block: bytes
    sample_rate: int
    channels: int
    bits: int
    num_samples: int

    @classmethod
    def parse(cls, block: bytes) -> Self:
        """The header whose 34 bytes of STREAMINFO these are."""
        fields = int.from_bytes(block[10:18], "big")
        return cls(
            block, fields >> 44, (fields >> 41 & 7) + 1, (fields >> 36 & 31) + 1, num_samples=fields & (1 << 36) - 1
        )

    def header(self, num_samples: int, is_last: bool) -> bytes:
        """The marker and the first block of a stream of `num_samples`; more blocks follow unless it is the last."""
        fields = int.from_bytes(self.block[10:18], "big") >> 36 << 36 | num_samples
        block = self.block[:10] + fields.to_bytes(8, "big") + self.block[18:]
        return MARKER + bytes([is_last << 7]) + STREAMINFO_BYTES.to_bytes(3, "big") + block


@dataclass(frozen=True)
class Frame:
    """The header of a FLAC frame.

    Attributes:
        sync: its first two bytes; those of all frames of a stream are the same.
        number: of its first sample if `counts_samples`, else of the frame.
        block_size: samples a channel.
    """

    sync: bytes
    number: int
    block_size: int

    @classmethod
    def parse(cls, header: bytes, info: StreamInfo) -> Self | None:
        """The frame whose first 16 bytes these are; None if they are no header of a frame of the stream.

        Args:
            header: of the frame; fewer bytes at the end of a file.
            info: of the stream.
        """
        if len(header) < 6 or header[0] != 0xFF or header[1] & 0xFE != 0xF8 or header[3] & 1:
            return None
        block_code, rate_code = header[2] >> 4, header[2] & 15
        channel_code, bits_code = header[3] >> 4, header[3] >> 1 & 7
        channels = 2 if 8 <= channel_code <= 10 else channel_code + 1
        if channels != info.channels or _BITS.get(bits_code, info.bits) != info.bits or rate_code == 15:
            return None
        leading_ones = 8 - (header[4] ^ 0xFF).bit_length()
        if leading_ones in (1, 8):
            return None
        number_bytes = leading_ones or 1
        at = 4 + number_bytes
        number = header[4] & (0x7F >> leading_ones)
        for byte in header[5:at]:
            number = number << 6 | byte & 0x3F
        block_bytes = {6: 1, 7: 2}.get(block_code, 0)
        block_size = int.from_bytes(header[at : at + block_bytes], "big") + 1
        at += block_bytes + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
        if len(header) <= at or _crc8(header[:at]) != header[at]:
            return None
        if not block_bytes:
            if block_code not in _BLOCK_SIZES:
                return None
            block_size = _BLOCK_SIZES[block_code]
        return cls(header[:2], number, block_size)

    @property
    def counts_samples(self) -> bool:
        """Whether its number is one of samples: blocks are of various sizes."""
        return bool(self.sync[1] & 1)


def ends_of_checksum(content: bytes) -> list[int]:
    """Numbers of bytes after which a frame may end: its checksum, x^16 + x^15 + x^2 + 1, is right there."""
    ends, crc = [], 0
    for end, byte in enumerate(content, start=1):
        crc = (crc << 8 & 0xFF00) ^ _CRC16[crc >> 8 ^ byte]
        if crc == 0:
            ends.append(end)
    return ends


def _crc16(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = (crc << 1 ^ (0x18005 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


_CRC16 = [_crc16(byte) for byte in range(256)]


def _crc8(data: bytes) -> int:
    """The checksum of a frame's header, x^8 + x^2 + x + 1."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x107 if crc & 0x80 else 0)) & 0xFF
    return crc
