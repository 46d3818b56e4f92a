"""Audio files that libsndfile does not read, made by PyAV."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def tones(rate: int, seconds: float, channels: int = 1) -> np.ndarray:
    """A tone that rises, another in each channel, (N, C) float32 in [-0.5, 0.5]."""
    times = np.arange(round(rate * seconds)) / rate
    hertz = 300.0 * (1 + np.arange(channels))
    return (0.5 * np.sin(2 * np.pi * np.outer(times * (1 + times / 8), hertz))).astype(np.float32)


def write_foreign(
    path: Path, container: str, codec: str, *tracks: np.ndarray, rate: int = 48_000, video: bool = False, **options: str
) -> Path:
    """Encode tracks, each (N, C), into a file, after a black video where one is asked for."""
    with av.open(str(path), "w", format=container, options=options) as output:
        pictures = output.add_stream("mpeg4", rate=10, width=16, height=16, pix_fmt="yuv420p") if video else None
        streams = []
        for samples in tracks:
            layout = "mono" if samples.shape[1] == 1 else "stereo"
            streams.append(output.add_stream(codec, rate=rate, layout=layout))
            if codec.startswith("wma"):
                streams[-1].bit_rate = 64_000
        if pictures is not None:  # a packet may be written once all streams are there
            picture = av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")
            picture.pts, picture.time_base = 0, Fraction(1, 10)
            output.mux(pictures.encode(picture))
            output.mux(pictures.encode(None))
        for stream, samples in zip(streams, tracks, strict=True):
            for start in range(0, len(samples), 1000):
                block = np.ascontiguousarray(samples[start : start + 1000].reshape(1, -1))
                frame = av.AudioFrame.from_ndarray(block, format="flt", layout=stream.layout.name)
                frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return path


def decode_all(path: Path) -> np.ndarray:
    """All samples of the first sound track as FFmpeg gives them, (N, C) float32."""
    resampler = av.AudioResampler(format="fltp")
    with av.open(str(path)) as file:
        blocks = [part.to_ndarray() for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(blocks, axis=1).T
