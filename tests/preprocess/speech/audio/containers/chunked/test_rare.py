import numpy as np
import pytest
from audio_bytes import decoded, noise, samples_of, written

from preprocess.errors import AudioError


@pytest.mark.parametrize(
    ("format", "subtype"),
    [("AVR", "PCM_16"), ("SVX", "PCM_16"), ("WVE", "ALAW"), ("VOC", "ULAW"), ("VOC", "PCM_16")],
)
def test_rare_formats_are_whole_or_refused(format: str, subtype: str):
    for channels in (1, 2) if format in ("AVR", "VOC") else (1,):
        content = written(noise(8_000, channels), subtype, 8_000, format)
        assert np.array_equal(samples_of(content), decoded(content))
        assert len(samples_of(content[:-200])) > 7_600
        for left in (10, 23, 40, 4_000, len(content) - 500 * channels * (2 if subtype == "PCM_16" else 1)):
            with pytest.raises(AudioError):
                samples_of(content[:left])
        with pytest.raises(AudioError, match="what are the"):
            samples_of(content + content[100:])


@pytest.mark.parametrize(
    ("format", "subtype", "endian"),
    [
        ("MPC2K", "PCM_16", "FILE"),
        ("MAT4", "PCM_16", "LITTLE"),
        ("MAT4", "DOUBLE", "BIG"),
        ("MAT5", "FLOAT", "LITTLE"),
        ("MAT5", "PCM_16", "BIG"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_samplers_and_matlab_are_whole_or_refused(format: str, subtype: str, endian: str, channels: int):
    content = written(noise(8_000, channels), subtype, 44_100, format, endian)
    assert np.array_equal(samples_of(content), decoded(content))
    for left in (30, 60, 4_000, len(content) - len(content) // 3):
        with pytest.raises(AudioError):
            samples_of(content[:left])
