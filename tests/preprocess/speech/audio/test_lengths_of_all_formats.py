"""All formats that libsndfile writes, whole, cut, of a pipe, and in stretches: the exact samples, or an error."""

import struct
from dataclasses import dataclass

import numpy as np
import pytest
import soundfile
from audio_bytes import decoded, noise, patched, samples_of, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, open_audio

# Formats whose header tells how many samples there are.
WITH_LENGTH = (
    "AIFF",
    "AU",
    "AVR",
    "CAF",
    "MAT4",
    "MAT5",
    "MPC2K",
    "NIST",
    "RF64",
    "SVX",
    "VOC",
    "W64",
    "WAV",
    "WAVEX",
    "WVE",
)
# Raw samples have no header, SD2 keeps it in a second file, and no seek reaches the last block of SDS.
LEFT_OUT = {"RAW", "SD2", "SDS"}
# libsndfile cannot write these in memory, or does not read what it wrote.
NOT_READ = {("PAF", "PCM_24"), ("WAV", "MPEG_LAYER_III")}
NOT_WRITTEN = ("DWVW_12", "DWVW_16", "DWVW_24", "MPEG_LAYER_I", "MPEG_LAYER_II")
ALL_KINDS = [
    (format, subtype)
    for format in sorted(set(soundfile.available_formats()) - LEFT_OUT)
    for subtype in sorted(soundfile.available_subtypes(format))
    if subtype not in NOT_WRITTEN and (format, subtype) not in NOT_READ
]
KINDS_WITH_LENGTH = [kind for kind in ALL_KINDS if kind[0] in WITH_LENGTH]
# Formats of frames that tell how many they are, by a header, a number or a mark at the end.
KINDS_OF_FRAMES = [kind for kind in ALL_KINDS if kind[0] in ("FLAC", "MP3", "OGG")]
ROUNDING = ("OGG", "MP3")  # a decoder that starts amid a file rounds otherwise
RATES = (8_000, 11_025, 16_000, 44_100)
TOLERANCE_SECONDS = 0.05
BEHIND = (b"", b"LIST\4\0\0\0INFO", b"TAG" + bytes(125), b"\1\2\3", bytes(range(256)) * 30)
in_little_time = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@dataclass(frozen=True)
class Written:
    """A file that libsndfile wrote, and what it decodes of it."""

    format: str
    subtype: str
    rate: int
    content: bytes
    samples: np.ndarray


@st.composite
def audio_files(draw: st.DrawFn, kinds: list[tuple[str, str]]) -> Written:
    format, subtype = draw(st.sampled_from(kinds))
    rate = draw(st.sampled_from(RATES if format not in ("OGG", "MP3", "HTK", "WVE") else (8_000,)))
    count = draw(st.integers(1, 12_000))
    channels = draw(st.integers(1, 2)) if subtype != "ALAC_20" else 1  # libsndfile garbles it in stereo
    try:
        content = written(noise(count, channels), subtype, rate, format)
    except soundfile.LibsndfileError:  # most telephone codecs have one channel
        content = written(noise(count), subtype, rate, format)
    return Written(format, subtype, rate, content, decoded(content))


def is_part_of(found: np.ndarray, file: Written) -> bool:
    """Whether samples are those of a file, but for at most 50 ms at its end."""
    tolerance = round(TOLERANCE_SECONDS * file.rate)
    same = max(0, min(len(found), len(file.samples)) - tolerance)
    rounding = 1e-4 if file.format in ROUNDING else 0
    is_same = np.allclose(found[:same], file.samples[:same], rtol=0, atol=rounding)
    return abs(len(file.samples) - len(found)) <= tolerance and is_same


@in_little_time
@given(audio_files(ALL_KINDS), st.data())
def test_stretches_are_slices_of_the_whole(file: Written, data: st.DataObject):
    with open_audio(AudioContent("x", file.content)) as audio:
        assert audio.num_samples == len(file.samples)
        for _ in range(3):
            start = data.draw(st.integers(0, len(file.samples)))
            count = data.draw(st.integers(0, 3_000))
            found, expected = audio.read_samples(start, count), file.samples[start : start + count]
            assert len(found) == len(expected)
            assert np.allclose(found, expected, rtol=0, atol=1e-4 if file.format in ROUNDING else 0)


@in_little_time
@given(audio_files(KINDS_WITH_LENGTH + KINDS_OF_FRAMES), st.data())
def test_a_file_that_was_cut_is_whole_but_for_50_ms_or_refused(file: Written, data: st.DataObject):
    left = data.draw(st.integers(0, len(file.content) - 1))
    try:
        found = samples_of(file.content[:left])
    except AudioError:
        return
    assert is_part_of(found, file)


@in_little_time
@given(audio_files(KINDS_WITH_LENGTH), st.data())
def test_a_wrong_length_and_bytes_behind_lose_no_samples(file: Written, data: st.DataObject):
    content = file.content
    if file.format in ("WAV", "WAVEX"):
        at = content.index(b"data") + 4
        length = struct.unpack_from("<I", content, at)[0]
        slightly = st.integers(-16, 16).map(lambda more: max(0, length + more))
        unknown = st.sampled_from([0, 2_000_000_000, 0x7FFFF000, 0x7FFFFF00, 0x7FFFFFFF, 0xFFFFFFFF])
        content = patched(content, at, data.draw(slightly | unknown | st.integers(0, 2**32 - 1)), "<I")
    content += data.draw(
        st.sampled_from([b"", b"LIST\4\0\0\0INFO", b"TAG" + bytes(125), b"\1\2\3", bytes(range(256)) * 30])
    )
    try:
        found = samples_of(content)
    except AudioError:
        return
    assert len(found) >= len(file.samples) - TOLERANCE_SECONDS * file.rate
    same = max(0, len(file.samples) - round(TOLERANCE_SECONDS * file.rate))
    assert np.array_equal(found[:same], file.samples[:same])


@pytest.mark.parametrize(("format", "subtype"), ALL_KINDS)
def test_every_kind_is_read_from_any_sample_on_in_any_order(format: str, subtype: str):
    content = written(noise(5_000), subtype, 8_000, format)
    expected = decoded(content)
    with open_audio(AudioContent("x", content)) as audio:
        assert audio.num_samples == len(expected)
        for start in (0, 4_000, 1, 319, 320, 321, 2_047, 160, 4_999, 0):
            found = audio.read_samples(start, 700)
            assert len(found) == len(expected[start : start + 700])
            if format not in ("OGG", "MP3"):
                assert np.array_equal(found, expected[start : start + 700])
