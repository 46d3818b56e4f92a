"""MPEG audio for tests: files that LAME writes, their frames, and frames of silence of any kind."""

import io

import numpy as np
import soundfile

SAMPLE_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
LAYER_3_KBPS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
ENCODER_DELAY = 576 + 529  # samples in front of the sound, of LAME and of a decoder
ID3 = b"ID3\x04\0\0\0\0\0\x23TSSE\0\0\0\x0e\0\0\x03Lavf58.29.100\0" + bytes(10)


def tone(seconds: float, rate: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """(N, C): a tone and noise, loud and soft in turn."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal((len(time), channels))
    loudness = np.where(np.sin(9 * time) > 0, 0.2, 0.01)
    return (np.sin(2 * np.pi * 440 * time)[:, None] + noise) * loudness[:, None]


def mp3(samples: np.ndarray, rate: int, mode: str = "CONSTANT", level: float = 0.5) -> bytes:
    """An mp3 with a header that tells its number of frames."""
    buffer = io.BytesIO()
    channels = samples.shape[1]
    with soundfile.SoundFile(
        buffer, "w", rate, channels, "MPEG_LAYER_III", format="MP3", bitrate_mode=mode, compression_level=level
    ) as file:
        file.write(samples)
    return buffer.getvalue()


def frames_of(content: bytes) -> list[bytes]:
    """The frames of an mp3 without tags."""
    frames, start = [], 0
    while start < len(content):
        version, rate_bits = content[start + 1] >> 3 & 3, content[start + 2] >> 2 & 3
        kbps = LAYER_3_KBPS[3 if version == 3 else 2][content[start + 2] >> 4]
        size = (144_000 if version == 3 else 72_000) * kbps // SAMPLE_RATES[version][rate_bits]
        size += content[start + 2] >> 1 & 1
        frames.append(content[start : start + size])
        start += size
    return frames


def piped(content: bytes) -> bytes:
    """An mp3 as ffmpeg writes it to a pipe: with a tag, and without the header that it would have to go back to."""
    first, *frames = frames_of(content)
    return ID3 + b"".join(frames if has_length_header(first) else [first, *frames])


def has_length_header(frame: bytes) -> bool:
    """Whether a frame tells the number of frames in place of sound; LAME makes none where frames are too small."""
    return b"Xing" in frame[:60] or b"Info" in frame[:60]


def silent_frame(version: int, layer: int, rate_bits: int, rate_index: int, size: int) -> bytes:
    """A frame of silence, in stereo."""
    header = [0xFF, 0xE1 | version << 3 | (4 - layer) << 1, rate_index << 4 | rate_bits << 2, 0]
    return bytes(header).ljust(size, b"\0")
