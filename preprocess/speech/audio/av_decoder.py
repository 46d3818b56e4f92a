"""Decoding of what PyAV reads, from any sample on."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .av_packets import Packets, decode_packet, explained_by_ffmpeg, open_stream, skip_nothing
from .parts import PartFile

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# A decoder that begins in the middle comes near what it was: of AAC in a packet, of Opus in 80 ms (RFC 7845, section
# 4.6), of AMR in a second.
WARM_UP_SECONDS = 1.0


class AvDecoder:
    """An audio stream that is open; the interface of `Decoder`.

    Attributes:
        sample_rate: Hz.
        num_samples: a channel.
    """

    def __init__(self, file: PartFile, demuxer: str, packets: Packets) -> None:
        self._file, self._demuxer, self._packets = file, demuxer, packets
        self.sample_rate, self.num_samples = packets.sample_rate, packets.num_samples
        self._begins = np.concatenate([[0], np.cumsum(packets.kept[:, 1] - packets.kept[:, 0])]).astype(np.int64)
        self._opened = contextlib.ExitStack()
        self._rest = np.zeros((0, 1), np.float32)  # decoded, from the present position on
        self._position = 0
        self._blocks = self._decode_from(0) if len(packets.kept) else self._decode_all()

    def close(self) -> None:
        """Free what FFmpeg holds."""
        self._opened.close()

    def read(self, start: int, count: int) -> np.ndarray:
        """Decode samples, as `Decoder.read` does.

        Raises:
            AudioError: the stream is corrupt there.
        """
        with explained_by_ffmpeg(self._demuxer):
            if start != self._position:
                self._go_to(start)
            return self._take(count)

    def _go_to(self, start: int) -> None:
        packet = self._packet_at(start)
        if start < self._position or packet > self._packet_at(self._position) + 1:
            self._start_at(packet)
        while self._position < start and len(self._take(min(self.sample_rate, start - self._position))):
            pass

    def _packet_at(self, sample: int) -> int:
        """The packet that gives a sample; 0 where packets do not tell."""
        return max(0, int(np.searchsorted(self._begins, sample, side="right")) - 1) if len(self._begins) > 1 else 0

    def _take(self, count: int) -> np.ndarray:
        """Up to `count` samples from the present position on."""
        blocks = [self._rest]
        found = len(self._rest)
        while found < count and (block := next(self._blocks, None)) is not None:
            blocks.append(block)
            found += len(block)
        samples = np.concatenate([block for block in blocks if len(block)] or [self._rest])
        self._rest = samples[count:]
        samples = samples[:count]
        self._position += len(samples)
        return samples

    def _start_at(self, packet: int) -> None:
        """Let `_take` begin with the first sample of a packet."""
        self._rest = self._rest[:0]
        self._position = int(self._begins[min(packet, len(self._begins) - 1)])
        self._blocks = self._decode_from(packet) if len(self._packets.kept) else self._decode_all()

    def _decode_all(self) -> Iterator[np.ndarray]:
        import av

        resampler = av.AudioResampler(format="fltp")
        container, stream = self._open()
        for packet in container.demux(stream):
            yield decode_packet(packet, resampler)

    def _decode_from(self, first: int) -> Iterator[np.ndarray]:
        """Samples of each packet from `first` on; some before it are decoded to warm up."""
        import av

        resampler = av.AudioResampler(format="fltp")
        warm_up = self._packet_at(int(self._begins[first]) - round(WARM_UP_SECONDS * self.sample_rate))
        for number, packet in self._packets_before(warm_up):
            if number >= warm_up:
                samples = decode_packet(packet, resampler)
                if number >= first:
                    yield samples[slice(*self._packets.kept[number])]

    def _packets_before(self, number: int) -> Iterator[tuple[int, "av.Packet"]]:
        """Numbered packets from one on that is not after `number`."""
        times = self._packets.times
        if number > 0 and (np.diff(times) > 0).all():
            container, stream = self._open()
            skip_nothing(stream)
            container.seek(int(times[number]), stream=stream)
            packets = (packet for packet in container.demux(stream) if packet.size)
            packet = next(packets, None)
            found = -1 if packet is None or packet.pts is None else int(np.searchsorted(times, packet.pts))
            if packet is not None and 0 <= found <= number and times[found] == packet.pts:
                yield found, packet
                yield from enumerate(packets, found + 1)
                return
        container, stream = self._open()
        skip_nothing(stream)
        yield from enumerate(packet for packet in container.demux(stream) if packet.size)

    def _open(self) -> tuple["InputContainer", "AudioStream"]:
        self.close()
        return self._opened.enter_context(open_stream(self._file, self._demuxer))
