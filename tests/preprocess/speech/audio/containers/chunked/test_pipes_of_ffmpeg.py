"""Files that ffmpeg writes to a pipe, where it cannot go back to put lengths right: as many samples as were given."""

import pytest
from audio_bytes import noise, samples_of

av = pytest.importorskip("av")

COUNT = 20_001


class Pipe:
    """Something to write to, but not to seek in."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, content: bytes) -> int:
        self.content += bytes(content)
        return len(content)


def written_to_pipe(format: str, codec: str, **options: str) -> bytes:
    pipe = Pipe()
    with av.open(pipe, "w", format=format, options=options) as container:
        stream = container.add_stream(codec, rate=16_000, layout="mono")
        samples = (32_767 * noise(COUNT)).astype("int16").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16_000, 0
        resampler = av.AudioResampler(stream.codec_context.format.name, "mono", 16_000)
        for converted in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return pipe.content


@pytest.mark.parametrize(
    ("format", "codec", "options"),
    [
        ("wav", "pcm_s16le", {}),
        ("wav", "pcm_f32le", {}),
        ("wav", "pcm_s16le", {"rf64": "auto"}),
        ("wav", "pcm_s16le", {"rf64": "always"}),
        ("w64", "pcm_s16le", {}),
        ("w64", "pcm_mulaw", {}),
        ("aiff", "pcm_s16be", {}),
        ("aiff", "pcm_s16le", {}),
        ("au", "pcm_s16be", {}),
        ("au", "pcm_mulaw", {}),
        ("caf", "pcm_s16be", {}),
        ("caf", "pcm_mulaw", {}),
    ],
)
def test_all_samples_of_a_pipe_are_found(format: str, codec: str, options: dict[str, str]):
    assert len(samples_of(written_to_pipe(format, codec, **options))) == COUNT
