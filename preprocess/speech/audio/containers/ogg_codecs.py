"""Codecs in Ogg that can be read: which packets are headers, and how many samples each other one holds."""

from abc import ABC, abstractmethod

from ....errors import AudioError
from .flac_frames import HEADER_BYTES, MAX_FRAME_HEADER_BYTES, Frame, StreamInfo

OPUS_RATE = 48_000  # of all positions in Opus, whatever rate it is decoded at
_OPUS_DECODED_RATES = (8_000, 12_000, 16_000, 24_000)
_VORBIS_MODE_BITS = 41


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
    def duration(self, packet: bytes) -> int:
        """Positions by which a packet that is no header moves on."""


class Vorbis(Codec):
    """Vorbis I; each packet overlaps the one before by half of each, so the first gives no samples."""

    name = "Vorbis"
    num_headers = 3

    def __init__(self, packet: bytes) -> None:
        self.granule_rate = self.sample_rate = int.from_bytes(packet[12:16], "little")
        self._block_sizes = 1 << (packet[28] & 15), 1 << (packet[28] >> 4)
        self._long_modes: list[bool] = []
        self._previous = 0

    def takes_header(self, index: int, packet: bytes) -> bool:
        """See `Codec`."""
        if index < self.num_headers:
            _check_header(packet, (b"\x01vorbis", b"\x03vorbis", b"\x05vorbis")[index], self.name)
        if index == 2:
            self._long_modes = _vorbis_modes(packet)
        return index < self.num_headers

    def duration(self, packet: bytes) -> int:
        """See `Codec`."""
        if not packet or packet[0] & 1:
            return 0  # no sound
        mode = packet[0] >> 1 & (1 << (len(self._long_modes) - 1).bit_length()) - 1
        if mode >= len(self._long_modes):
            return 0
        block = self._block_sizes[self._long_modes[mode]]
        duration = (self._previous + block) // 4 if self._previous else 0
        self._previous = block
        return duration


class Opus(Codec):
    """Opus (RFC 7845), decoded at the lowest rate of its own that is not below that of what was encoded."""

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

    def duration(self, packet: bytes) -> int:
        """See `Codec`."""
        if not packet:
            return 0
        config = packet[0] >> 3
        if config < 12:
            frame = (480, 960, 1920, 2880)[config & 3]
        elif config < 16:
            frame = (480, 960)[config & 1]
        else:
            frame = (120, 240, 480, 960)[config & 3]
        code = packet[0] & 3
        frames = (1, 2, 2)[code] if code < 3 else packet[1] & 63 if len(packet) > 1 else 0
        return frame * frames


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

    def duration(self, packet: bytes) -> int:
        """See `Codec`."""
        frame = Frame.parse(packet[:MAX_FRAME_HEADER_BYTES], self.info)
        if frame is None:
            return 0
        if self.first_number is None:
            self.first_number = frame.number
        return frame.block_size


def codec_of(packet: bytes) -> Codec | str:
    """The codec of a stream by its first packet; the name of one that cannot be read, "" if it holds no sound.

    Raises:
        AudioError: the packet is not whole.
    """
    for magic, min_bytes, codec in (
        (b"\x01vorbis", 30, Vorbis),
        (b"OpusHead", 19, Opus),
        (b"\x7fFLAC", 9 + HEADER_BYTES, Flac),
    ):
        if packet.startswith(magic):
            if len(packet) < min_bytes:
                raise AudioError(f"corrupt: its header of {codec.name} has {len(packet)} bytes, expected {min_bytes}")
            return codec(packet)
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
