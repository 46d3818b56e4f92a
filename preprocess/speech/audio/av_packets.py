"""Packets of an audio stream that PyAV reads: how many samples each gives, without decoding where that is exact."""

import contextlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import AudioError
from .avi import check_avi_end
from .length_limits import END_TOLERANCE_SECONDS
from .matroska import check_matroska_end
from .mpeg4 import check_boxes
from .parts import PartFile

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream
    from av.container import InputContainer

logger = logging.getLogger(__name__)

# Codecs in which each packet gives as many samples as the first, and those in which it says how many. HE-AAC (2048 a
# packet) is in neither: how much of its begin is dropped depends on its decoder.
OF_ONE_SIZE = {"aac": (960, 1024), "mp3float": (576, 1152)}
OF_SAID_SIZE = ("alac", "amrnb", "amrwb")
# by the upper five bits of an Opus packet, in samples at 48 kHz (RFC 6716, table 2)
OPUS_FRAMES = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
# those whose headers tell the length of their one stream
TELL_LENGTH = ("mov", "matroska", "asf", "ape", "wv", "tta", "tak", "mpc8", "dsf", "avi", "rm")


@dataclass(frozen=True)
class Packets:
    """Samples that the packets of a stream give.

    Attributes:
        sample_rate: of what is decoded, Hz.
        num_samples: a channel.
        times: (P,) time stamps of the packets, by which one can seek where they rise.
        kept: (P, 2) the first sample of each packet that counts, and that after the last; (0, 2): packets do not tell,
            and the stream must be decoded from its begin.
    """

    sample_rate: int
    num_samples: int
    times: np.ndarray
    kept: np.ndarray


@contextlib.contextmanager
def explained_by_ffmpeg(demuxer: str) -> Iterator[None]:
    """Give errors of FFmpeg, which reads by `demuxer`, as an AudioError without a place."""
    import av

    try:
        yield
    except av.FFmpegError as error:
        raise AudioError(f"cut short or corrupt (FFmpeg's reader of {demuxer}: {error.strerror})") from error


@contextlib.contextmanager
def open_stream(file: PartFile, demuxer: str) -> Iterator[tuple["InputContainer", "AudioStream"]]:
    """The first audio stream of a file.

    Raises:
        AudioError: there is none, or no decoder of it.
    """
    import av

    file.seek(0)
    with av.open(file, mode="r", format=demuxer) as container:
        if not container.streams.audio:
            raise AudioError("holds no sound")
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise AudioError("holds sound in a codec that FFmpeg does not know")
        yield container, stream


def count_packets(file: PartFile, demuxer: str, name: str) -> Packets:
    """Find what the packets of a stream give; all of it is decoded only where they do not tell.

    Args:
        file: the audio file.
        demuxer: FFmpeg's reader of it.
        name: what the log calls it.

    Raises:
        AudioError: it is cut short or corrupt.
    """
    with explained_by_ffmpeg(demuxer), open_stream(file, demuxer) as (container, stream):
        if len(container.streams.audio) > 1:
            logger.warning(f"{name}: the first of {len(container.streams.audio)} sound tracks is read")
        told = _told_seconds(container, stream, demuxer)
        packets = _count(container, stream)
    if packets is None:
        with explained_by_ffmpeg(demuxer), open_stream(file, demuxer) as (container, stream):
            packets = _decode(container, stream)
    if demuxer == "mov":
        check_boxes(file, file.seek(0, io.SEEK_END))
    if demuxer == "avi":
        check_avi_end(file, file.seek(0, io.SEEK_END))
    if told is None and demuxer == "matroska":
        check_matroska_end(file, file.seek(0, io.SEEK_END))
    seconds = packets.num_samples / packets.sample_rate
    if told is not None and told - seconds > END_TOLERANCE_SECONDS:
        raise AudioError(f"cut short: {seconds:.3f} s are there, and its header says {told:.3f} s")
    return packets


def skip_nothing(stream: "AudioStream") -> None:
    """Let packets give all their samples; those that do not count are left out by `Packets.kept`."""
    import av

    stream.codec_context.flags2 |= av.codec.context.Flags2.skip_manual


def decode_packet(packet: "av.Packet", resampler: "av.AudioResampler") -> np.ndarray:
    """Samples of a packet, (N, C) float32."""
    blocks = [
        block.to_ndarray()
        for frame in packet.decode()
        for block in resampler.resample(frame)  # type: ignore[arg-type]
    ]
    return np.concatenate(blocks, axis=1).T if blocks else np.zeros((0, 1), np.float32)


def _told_seconds(container: "InputContainer", stream: "AudioStream", demuxer: str) -> float | None:
    if demuxer not in TELL_LENGTH:
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    alone = len(container.streams) == 1 and container.duration is not None
    return container.duration / 1e6 if alone and container.duration else None


def _count(container: "InputContainer", stream: "AudioStream") -> Packets | None:
    """Samples of packets by their headers; None where only decoding tells."""
    import av

    skip_nothing(stream)
    codec, resampler = stream.codec_context, av.AudioResampler(format="fltp")
    name, first = codec.name, 0
    sizes: list[int] = []
    times: list[int] = []
    trims: list[tuple[bool, int, int]] = []
    samples_per_tick = float((stream.time_base or 0) * codec.sample_rate)
    for packet in _whole_packets(container, stream):
        if not sizes:
            first = len(decode_packet(packet, resampler))
            if not _tells(name, first, samples_per_tick):
                return None
        sizes.append(_size_of(packet, name, first, samples_per_tick))
        times.append(packet.pts or 0)
        trims.append((packet.is_discard, *_trim_of(packet)))
        last = packet
    if not sizes:
        return None
    codec.flush_buffers()
    sizes[-1] = len(decode_packet(last, resampler))
    kept = _keep(sizes, trims)
    return Packets(codec.sample_rate, int((kept[:, 1] - kept[:, 0]).sum()), np.array(times), kept)


def _decode(container: "InputContainer", stream: "AudioStream") -> Packets:
    import av

    resampler = av.AudioResampler(format="fltp")
    count = sum(len(decode_packet(packet, resampler)) for packet in container.demux(stream))
    if not count:
        raise AudioError("cut short or corrupt: none of its sound can be decoded")
    return Packets(stream.codec_context.sample_rate, count, np.zeros(0), np.zeros((0, 2)))


def _whole_packets(container: "InputContainer", stream: "AudioStream") -> Iterator["av.Packet"]:
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise AudioError("cut short: its last packet is not whole")
        if packet.size:
            yield packet


def _tells(codec: str, first: int, samples_per_tick: float) -> bool:
    if codec in OF_ONE_SIZE:
        return first in OF_ONE_SIZE[codec]
    return first > 0 and (codec == "opus" or (codec in OF_SAID_SIZE and samples_per_tick == 1))


def _size_of(packet: "av.Packet", codec: str, first: int, samples_per_tick: float) -> int:
    if codec in OF_ONE_SIZE:
        return first
    if codec == "opus":
        head = bytes(packet)[:2]
        count = (1, 2, 2, head[1] & 0x3F if len(head) > 1 else 0)[head[0] & 3]
        return OPUS_FRAMES[head[0] >> 3] * count
    return round((packet.duration or 0) * samples_per_tick)


def _trim_of(packet: "av.Packet") -> tuple[int, int]:
    """Samples to drop: from this packet on (-1: as before), and from its end."""
    if not packet.has_sidedata("skip_samples"):
        return -1, 0
    begin, end = np.frombuffer(bytes(packet.get_sidedata("skip_samples"))[:8], "<u4")
    return int(begin), int(end)


def _keep(sizes: list[int], trims: list[tuple[bool, int, int]]) -> np.ndarray:
    """Ranges of each packet's samples that count, as FFmpeg's decoders drop the others."""
    kept, skip = [], 0
    for size, (is_dropped, begin, end) in zip(sizes, trims, strict=True):
        skip = begin if begin >= 0 else skip
        if is_dropped:
            skip = max(0, skip - size)
            kept.append((0, 0))
            continue
        first = min(skip, size)
        skip -= first
        kept.append((first, max(first, size - end) if end <= size - first else size))
    return np.array(kept)
