"""What holds for all containers with a header: W64, AIFF, AU, CAF and NIST here, WAV in test_wav.py."""

import struct
from dataclasses import dataclass

import numpy as np
import pytest
from audio_bytes import decoded, noise, patched, samples_of, written

from preprocess.errors import AudioError


@dataclass(frozen=True)
class Header:
    """Where the length of the samples stands in a file."""

    format: str
    subtype: str
    at: int  # byte of the length
    form: str
    counted: int  # bytes that it counts beside the samples
    unknown: tuple[int, ...]
    endian: str = "FILE"
    overall: int | None = None  # byte of the length of the file


W64_OF_FFMPEG = (2**63 - 1, 2**64 - 1, 0, 24)
HEADERS = {
    "w64": Header("W64", "PCM_16", 0x68 - 8, "<Q", 24, W64_OF_FFMPEG, overall=16),
    "aiff": Header("AIFF", "PCM_16", 42, ">I", 8, (0, 8, 0x7F000008, 0x7F000000, 2**32 - 1), overall=4),
    "au": Header("AU", "PCM_16", 8, ">I", 0, (0, 0xFFFFFFFF, 0x7FFFF000), "BIG"),
    "au, little endian": Header("AU", "PCM_16", 8, "<I", 0, (0, 0xFFFFFFFF, 0x7FFFF000), "LITTLE"),
    "au, ulaw": Header("AU", "ULAW", 8, ">I", 0, (0, 0xFFFFFFFF), "BIG"),
    "caf": Header("CAF", "PCM_16", -1, ">q", 4, (-1,)),
}
each_header = pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)


def file_of(header: Header, count: int = 8_000) -> tuple[bytes, int]:
    """A whole file, and the byte at which its length stands."""
    content = written(noise(count), header.subtype, format=header.format, endian=header.endian)
    names = {"W64": (b"data\xf3", 16), "AIFF": (b"SSND", 4), "CAF": (b"data", 4)}
    name, distance = names.get(header.format, (b"", header.at))
    return content, content.index(name) + distance


def length_of(header: Header, content: bytes, at: int) -> int:
    return struct.unpack_from(header.form, content, at)[0] - header.counted


@each_header
def test_an_unknown_length_is_to_the_end_of_the_file(header: Header):
    content, at = file_of(header)
    expected = decoded(content)
    assert np.array_equal(samples_of(content), expected)
    for unknown in header.unknown:
        found = patched(content, at, unknown, header.form)
        assert np.array_equal(samples_of(found), expected), unknown
        if header.overall is not None:
            found = patched(found, header.overall, 0, header.form)
            assert np.array_equal(samples_of(found), expected), unknown


@each_header
def test_a_file_that_was_cut_is_refused(header: Header):
    content, at = file_of(header)
    length = length_of(header, content, at)
    begin = content.index(content[-200:]) + 200 - length  # of the samples
    for left in (0, 1, length // 2, int(0.89 * length)):
        with pytest.raises(AudioError, match=f"cut short: its header says {length} bytes of samples, found {left}$"):
            samples_of(content[: begin + left])
    for size in (5, 13, at, begin - 1):
        with pytest.raises(AudioError):
            samples_of(content[:size])


@each_header
def test_50_ms_may_be_missing_and_a_length_slightly_wrong(header: Header):
    content, at = file_of(header)
    expected, length = decoded(content), length_of(header, content, at)
    width = length // 8_000
    assert np.array_equal(samples_of(content[: -800 * width]), expected[:-800])
    with pytest.raises(AudioError, match="cut short"):
        samples_of(content[: -801 * width])
    for more in range(1, 17):
        found = samples_of(patched(content, at, length + header.counted + more, header.form))
        assert np.array_equal(found, expected)


@each_header
def test_many_bytes_behind_the_samples_are_not_passed_over(header: Header):
    content, at = file_of(header)
    length = length_of(header, content, at)
    found = patched(content, at, header.counted + length // 2, header.form)
    if header.overall is None:
        with pytest.raises(AudioError, match=f"its header says {length // 2} bytes of samples; what are the"):
            samples_of(found)
    else:
        assert np.array_equal(samples_of(found), decoded(content))
        with pytest.raises(AudioError, match=f"its header says {length // 2} bytes of samples; what are the"):
            samples_of(patched(found, header.overall, len(content) - length // 2 - 8, header.form))


@each_header
def test_tags_and_a_few_bytes_behind_the_samples_are_no_sound(header: Header):
    content, _ = file_of(header)
    for behind in (b"TAG" + bytes(125), b"ID3" + bytes(9_000), b"\n", bytes(4_000)):
        assert np.array_equal(samples_of(content + behind), decoded(content))


def test_aiff_chunks_come_in_any_order():
    content, _ = file_of(HEADERS["aiff"])
    common, samples = content[12:38], content[38:]
    assert (common[:4], samples[:4]) == (b"COMM", b"SSND")
    behind = content[:12] + samples + common
    assert np.array_equal(samples_of(behind), decoded(content))
    with pytest.raises(AudioError, match="no samples found"):
        samples_of(behind[:-20])
    name = b"NAME" + struct.pack(">I", 3) + b"abc\0"
    assert np.array_equal(samples_of(content + name), decoded(content))


@pytest.mark.parametrize("subtype", ["ALAW", "FLOAT", "IMA_ADPCM", "GSM610"])
def test_aifc_of_a_pipe_is_whole(subtype: str):
    content = written(noise(8_000), subtype, format="AIFF")
    at = content.index(b"SSND") + 4
    found = patched(patched(content, at, 0, ">I"), content.index(b"COMM") + 10, 0, ">I")
    assert np.array_equal(samples_of(found), decoded(content))


@pytest.mark.parametrize("subtype", ["G721_32", "G723_24", "G723_40"])
def test_telephone_codecs_in_au_are_whole_or_refused(subtype: str):
    content = written(noise(8_000), subtype, 8_000, "AU", "BIG")
    assert np.array_equal(samples_of(patched(content, 8, 0, ">I")), decoded(content))
    with pytest.raises(AudioError, match="cut short"):
        samples_of(content[:-400])


def test_alac_in_caf_is_whole_or_refused():
    content = written(noise(20_000), "ALAC_16", format="CAF")
    assert np.array_equal(samples_of(content), decoded(content))
    for left in (4_200, 20_000, len(content) - 2_000):
        with pytest.raises(AudioError):
            samples_of(content[:left])


def nist(fields: str, samples: bytes, header_bytes: int = 1024) -> bytes:
    return f"NIST_1A\n{header_bytes:7d}\n{fields}end_head\n".encode().ljust(header_bytes) + samples


NIST_FIELDS = "channel_count -i 1\nsample_rate -i 16000\nsample_n_bytes -i 2\nsample_byte_format -s2 01\n"
NIST_COUNT = "sample_count -i 8000\n"
NIST_SAMPLES = (20_000 * noise(8_000)).astype("<i2").tobytes()
NIST_EXPECTED = np.frombuffer(NIST_SAMPLES, "<i2").astype(np.float32) / 2**15


@pytest.mark.parametrize(
    ("fields", "header_bytes"),
    [
        (NIST_COUNT + NIST_FIELDS, 1024),
        (NIST_FIELDS + NIST_COUNT, 2048),
        (f"speaker -s{1_500} {'a' * 1_500}\n" + NIST_COUNT + NIST_FIELDS, 2048),
        (NIST_FIELDS, 1024),
        (NIST_FIELDS + "sample_count -i 0\n", 1024),
        (NIST_FIELDS + NIST_COUNT + "sample_coding -s3 pcm\nsample_sig_bits -i 16\n", 1024),
    ],
)
def test_nist_sphere_is_read_with_any_header(fields: str, header_bytes: int):
    whole = nist(fields, NIST_SAMPLES, header_bytes)
    assert np.array_equal(samples_of(whole), NIST_EXPECTED)
    for size in (10, 60, header_bytes - 900):
        with pytest.raises(AudioError):
            samples_of(whole[:size])


def test_nist_sphere_that_was_cut_or_holds_more_is_refused():
    whole = nist(NIST_FIELDS + NIST_COUNT, NIST_SAMPLES)
    with pytest.raises(AudioError, match="cut short: its header says 16000 bytes of samples, found 8976"):
        samples_of(whole[:10_000])
    with pytest.raises(AudioError, match="what are the 16000 from byte 17024 on"):
        samples_of(whole + NIST_SAMPLES)
    assert np.array_equal(samples_of(whole + b"\n" * 100), NIST_EXPECTED)
    shortened = NIST_FIELDS + NIST_COUNT + "sample_coding -s26 pcm,embedded-shorten-v2.00\n"
    with pytest.raises(AudioError):
        samples_of(nist(shortened, NIST_SAMPLES))
