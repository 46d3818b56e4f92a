"""Codecs in Ogg that can be read: which packets are headers, and how many samples each other one holds."""

from abc import ABC, abstractmethod

from .....errors import AudioError
from ...samples import check_sample_rate
from ..flac.frames import HEADER_BYTES, MAX_FRAME_HEADER_BYTES, Frame, StreamInfo

OPUS_RATE = 48_000  # of all positions in Opus, whatever rate it is decoded at
_OPUS_DECODED_RATES = (8_000, 12_000, 16_000, 24_000)
# Positions a frame, by its configuration: SILK, hybrid, CELT.
_OPUS_FRAMES = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
_VORBIS_MODE_BITS = 41
_NO_BLOCK = b"\2"  # beside 0, a short block, and 1, a long one


class Codec(ABC):
    """A codec of a stream, made of its first packet; methods are called with its packets in order.

    Attributes:
        name: for messages.
        granule_rate: positions a second.
        sample_rate: that of what libsndfile decodes, Hz.
        num_headers: how many packets are headers, at least.
        skipped: positions at the begin that are not sound.
    """

    name: str
    granule_rate: int
    sample_rate: int
    num_headers: int
    skipped = 0

    @abstractmethod
    def takes_header(self, index: int, packet: bytes) -> bool:
        """Whether a packet is a header, by its index and content."""

    @abstractmethod
    def duration(self, packets: list[bytes]) -> int:
        """Positions by which packets that are no headers move on."""


class Vorbis(Codec):
    """Vorbis I; each packet overlaps the one before by half of each, so the first gives no samples."""

    name = "Vorbis"
    num_headers = 3

    def __init__(self, packet: bytes) -> None:
        self.granule_rate = self.sample_rate = int.from_bytes(packet[12:16], "little")
        self._block_sizes = 1 << (packet[28] & 15), 1 << (packet[28] >> 4)
        self._kinds = b""  # of block, by the first byte of a packet: short, long or none
        self._previous = 0  # size of the block before

    def takes_header(self, index: int, packet: bytes) -> bool:
        """See `Codec`."""
        if index < self.num_headers:
            _check_header(packet, (b"\x01vorbis", b"\x03vorbis", b"\x05vorbis")[index], self.name)
        if index == 2:
            self._kinds = _block_kinds(_vorbis_modes(packet))
        return index < self.num_headers

    def duration(self, packets: list[bytes]) -> int:
        """See `Codec`."""
        first_bytes = bytes([packet[0] for packet in packets if packet])
        kinds = first_bytes.translate(self._kinds).replace(_NO_BLOCK, b"")
        if not kinds:
            return 0
        sizes = sum(kinds.count(kind) * size for kind, size in enumerate(self._block_sizes))
        first, last = self._block_sizes[kinds[0]], self._block_sizes[kinds[-1]]
        doubled = 2 * sizes - last + self._previous if self._previous else 2 * sizes - first - last
        self._previous = last
        return doubled // 4


class Opus(Codec):
    """Opus (RFC 7845), decoded at the lowest of its rates that is not below the input's."""

    name = "Opus"
    num_headers = 2
    granule_rate = OPUS_RATE

    def __init__(self, packet: bytes) -> None:
        self.skipped = int.from_bytes(packet[10:12], "little")
        input_rate = int.from_bytes(packet[12:16], "little", signed=True)  # libsndfile takes it for a signed number
        self.sample_rate = next((rate for rate in _OPUS_DECODED_RATES if input_rate <= rate), OPUS_RATE)

    def takes_header(self, index: int, packet: bytes) -> bool:
        """See `Codec`."""
        if index < self.num_headers:
            _check_header(packet, (b"OpusHead", b"OpusTags")[index], self.name)
        return index < self.num_headers

    def duration(self, packets: list[bytes]) -> int:
        """See `Codec`."""
        return sum(
            # The second byte counts the frames if the first says that there may be many.
            _OPUS_FRAMES[packet[0] >> 3] * ((1, 2, 2)[packet[0] & 3] if packet[0] & 3 < 3 else packet[1] & 63)
            for packet in packets
            if len(packet) > 1 or (packet and packet[0] & 3 < 3)
        )


class Flac(Codec):
    """FLAC in Ogg, which libsndfile does not read: its packets are the frames of a FLAC file.

    Attributes:
        info: the header of that file.
        first_number: that of its first frame.
    """

    name = "FLAC"

    def __init__(self, packet: bytes) -> None:
        self.info = StreamInfo.parse(packet[9 + HEADER_BYTES - 34 : 9 + HEADER_BYTES])
        self.granule_rate = self.sample_rate = self.info.sample_rate
        self.num_headers = max(2, int.from_bytes(packet[7:9], "big") + 1)
        self.first_number: int | None = None

    def takes_header(self, index: int, packet: bytes) -> bool:
        """See `Codec`."""
        return packet[:1] != b"\xff"

    def duration(self, packets: list[bytes]) -> int:
        """See `Codec`."""
        frames = [Frame.parse(packet[:MAX_FRAME_HEADER_BYTES], self.info) for packet in packets]
        known = [frame for frame in frames if frame]
        if known and self.first_number is None:
            self.first_number = known[0].number
        return sum(frame.block_size for frame in known)


def codec_of(packet: bytes) -> Codec | str:
    """The codec of a stream by its first packet; the name of one that cannot be read, "" if it holds no sound.

    Raises:
        AudioError: the packet is not whole, or nobody records at its rate.
    """
    for magic, min_bytes, codec in (
        (b"\x01vorbis", 30, Vorbis),
        (b"OpusHead", 19, Opus),
        (b"\x7fFLAC", 9 + HEADER_BYTES, Flac),
    ):
        if packet.startswith(magic):
            if len(packet) < min_bytes:
                raise AudioError(f"corrupt: its header of {codec.name} has {len(packet)} bytes, expected {min_bytes}")
            made = codec(packet)
            check_sample_rate(made.sample_rate)
            return made
    for magic, name in _FOREIGN.items():
        if packet.startswith(magic):
            return name
    return f"an unknown codec ({packet[:8]!r})"


_FOREIGN = {
    b"Speex   ": "Speex",
    b"PCM     ": "PCM",
    b"CELT    ": "CELT",
    b"fLaC": "FLAC of an early draft",
    b"\x01audio": "audio of OGM",
    b"fishead\0": "",
    b"fisbone\0": "",
    b"\x80theora": "",
    b"OVP80": "",
    b"BBCD\0": "",
    b"\x80daala": "",
    b"\x80kate\0\0\0": "",
    b"CMML\0\0\0\0": "",
    b"\x01video": "",
    b"\x01text": "",
}


def _check_header(packet: bytes, magic: bytes, name: str) -> None:
    if not packet.startswith(magic):
        raise AudioError(f"corrupt: a header of {name} is missing, expected {magic!r}, found {packet[:8]!r}")


def _vorbis_modes(setup: bytes) -> list[bool]:
    """Whether blocks of each mode are long ones.

    The modes are the last thing in the setup header, behind codebooks whose length is known only when they are
    unpacked: so they are read backwards, up to what is no mode or what gives their number.
    """
    bits = int.from_bytes(setup, "little")
    at = bits.bit_length() - 1  # the framing bit is the last that is set
    modes: list[bool] = []
    found: list[bool] = []
    while at >= _VORBIS_MODE_BITS + 6 and len(modes) < 64:
        at -= _VORBIS_MODE_BITS
        mode = bits >> at & (1 << _VORBIS_MODE_BITS) - 1
        if mode >> 1 & (1 << 32) - 1 or mode >> 33 > 63:  # window and transform are 0; there are up to 64 mappings
            break
        modes.insert(0, bool(mode & 1))
        if (bits >> at - 6 & 63) + 1 == len(modes):
            found = list(modes)
    if not found:
        raise AudioError("corrupt: its setup header of Vorbis has no modes")
    return found


def _block_kinds(long_modes: list[bool]) -> bytes:
    """The kind of block of each first byte of a packet: a bit that is 0 for sound, and the mode."""
    mode_mask = (1 << (len(long_modes) - 1).bit_length()) - 1
    modes = [None if byte & 1 else byte >> 1 & mode_mask for byte in range(256)]
    return bytes(_NO_BLOCK[0] if mode is None or mode >= len(long_modes) else long_modes[mode] for mode in modes)
