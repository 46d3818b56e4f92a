import io
import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, check_audio, load_audio, open_audio
from preprocess.speech.audio.containers import find_parts

RATE = 16_000
BLOCK = 4096  # samples in a frame of what libsndfile writes
ID3V2 = b"ID3\x04\0\0\0\0\x01\x0a" + bytes(138)
ID3V1 = b"TAG" + bytes(125)
APE = b"APETAGEX" + bytes(200)


def noise(seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (3000 * random.standard_normal(round(seconds * RATE))).clip(-32768, 32767).astype(np.int16)


def flac(samples: np.ndarray, rate: int = RATE) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def with_total(content: bytes, total: int) -> bytes:
    changed = bytearray(content)
    changed[21] &= 0xF0
    changed[22:26] = total.to_bytes(4, "big")
    return bytes(changed)


def last_frame(content: bytes) -> int:
    return content.rindex(b"\xff\xf8")


def check_is(content: bytes, expected: np.ndarray) -> None:
    """Compare with what a file in memory gives, as a whole and from places near its joints and its end."""
    as_float = expected.astype(np.float32) / 32768
    with open_audio(AudioContent("x.flac", content)) as audio:
        assert audio.num_samples == len(expected)
        for start in (0, 1, BLOCK, BLOCK + 1, len(expected) // 2 - 5, len(expected) - 500, 7):
            assert np.array_equal(audio.read_samples(start, 3000), as_float[start : start + 3000])
        assert np.array_equal(audio.read_samples(0, len(expected)), as_float)


def test_a_plain_file_is_read_as_libsndfile_reads_it():
    content = flac(noise())
    assert find_parts(io.BytesIO(content), len(content)) == []
    check_is(content, noise())


@pytest.mark.parametrize("total", [0, 1, 5000, 20_000, 32_001, 32_700])
def test_a_total_that_is_unknown_or_wrong_is_put_right(total: int):
    check_is(with_total(flac(noise()), total), noise())


def test_a_file_on_disk_is_read_alike(tmp_path: Path):
    (tmp_path / "x.flac").write_bytes(with_total(flac(noise()), 0))
    assert check_audio(tmp_path / "x.flac") == 2.0
    found = load_audio(tmp_path / "x.flac", offset=1.28, duration=0.5)
    assert np.array_equal(found, noise()[20_480:28_480].astype(np.float32) / 32768)
    with pytest.raises(AudioError, match=r"lies outside the file, which is 2.000 s long"):
        check_audio(tmp_path / "x.flac", offset=100, duration=3)


@pytest.mark.parametrize("seconds", [0.03, BLOCK / RATE, 3 * BLOCK / RATE, 3 * BLOCK / RATE + 1 / RATE])
def test_streams_of_few_frames_and_whole_frames_have_their_length(seconds: float):
    content = with_total(flac(noise(seconds)), 0)
    with open_audio(AudioContent("x.flac", content)) as audio:
        assert np.array_equal(audio.read_samples(0, 10**6), noise(seconds).astype(np.float32) / 32768)


@pytest.mark.parametrize("total", [None, 0])
@pytest.mark.parametrize(("front", "behind"), [(ID3V2, b""), (2 * ID3V2, b""), (b"", ID3V1), (ID3V2, APE + ID3V1)])
def test_tags_around_it_are_no_sound(total: int | None, front: bytes, behind: bytes):
    content = flac(noise()) if total is None else with_total(flac(noise()), total)
    check_is(front + content + behind, noise())


@pytest.mark.parametrize("between", [b"", ID3V1, ID3V2, bytes(1000)])
@pytest.mark.parametrize("total", [None, 0])
@pytest.mark.parametrize("seconds", [2.0, 1.5])  # of the second; with the same length the last frame's number is right
def test_joined_files_are_read_one_after_the_other(between: bytes, total: int | None, seconds: float):
    streams = [noise(2.0), noise(seconds, seed=1), noise(0.6, seed=2)]
    contents = [flac(stream) if total is None else with_total(flac(stream), total) for stream in streams]
    check_is(between.join(contents), np.concatenate(streams))


def test_joined_files_of_two_rates_are_refused():
    with pytest.raises(AudioError, match=r"x.flac: joined of streams at 16000 and 8000 samples a second"):
        check_audio(AudioContent("x.flac", flac(noise()) + flac(noise(), 8000)))


@pytest.mark.parametrize("total", [None, 0])
@pytest.mark.parametrize("lost", [1, 100, 5000])
def test_a_file_that_is_cut_within_its_last_frame_is_told(total: int | None, lost: int):
    content = flac(noise()) if total is None else with_total(flac(noise()), total)
    with pytest.raises(AudioError, match=r"x.flac: cut short: .*28672"):
        check_audio(AudioContent("x.flac", content[:-lost]))


@pytest.mark.parametrize("kept", [100, 42, 30, 3])
def test_a_file_of_which_little_is_left_is_told(kept: int):
    with pytest.raises(AudioError, match=r"x.flac: .*(cut short|not audio)"):
        check_audio(AudioContent("x.flac", flac(noise())[:kept]))


def test_a_loss_of_less_than_50_ms_is_none():
    samples = noise((7 * BLOCK + 700) / RATE)
    content = flac(samples)
    check_is(content[: last_frame(content) + 300], samples[: 7 * BLOCK])


def test_a_file_cut_off_at_its_begin_is_told():
    content = flac(noise())
    second = content.index(b"\xff\xf8", content.index(b"\xff\xf8") + 2000)
    while content[second + 4] != 1:
        second = content.index(b"\xff\xf8", second + 1)
    first = content.index(b"\xff\xf8")
    with pytest.raises(AudioError, match=r"its begin was cut off: it begins with the number 1; write it again"):
        check_audio(AudioContent("x.flac", content[:first] + content[second:]))


def test_more_bits_than_libsndfile_knows_are_told():
    content = bytearray(flac(noise()))
    content[20] |= 1
    content[21] |= 0xF0
    with pytest.raises(AudioError, match=r"x.flac: FLAC of 32 bits a sample, expected 8, 16 or 24; write it again"):
        check_audio(AudioContent("x.flac", bytes(content)))


def test_an_empty_stream_is_too_short():
    with pytest.raises(AudioError, match=r"x.flac: too short: 0.0 ms"):
        check_audio(AudioContent("x.flac", with_total(flac(noise()), 0)[: flac(noise()).index(b"\xff\xf8")]))


OTHER = np.random.default_rng(0).bytes(30_000)


@pytest.mark.parametrize("total", [32_000, 0])
@pytest.mark.parametrize(
    "other", [OTHER, b"RIFF" + OTHER, b"OggS" + OTHER, OTHER[:100]], ids=["any", "wav", "ogg", "few"]
)
def test_what_stands_behind_the_last_frame_is_told(total: int, other: bytes):
    content = with_total(flac(noise()), total)
    with pytest.raises(AudioError, match=rf"bytes \d+ to {len(content + other)} of the file belong to no part of it"):
        check_audio(AudioContent("x.flac", content + other))
    for tag in (ID3V1, ID3V2, APE, bytes(5_000) + ID3V1 + bytes(100)):
        with pytest.raises(AudioError, match=r"of the file belong to no part of it"):
            check_audio(AudioContent("x.flac", content + tag + other))
    for nothing in (bytes(9_000), b"\r\n", bytes(9_000) + ID3V2 + bytes(100) + ID3V1 + b"\r\n"):
        check_is(content + nothing, noise())


@pytest.mark.parametrize("total", [32_000, 0])
@pytest.mark.parametrize("lost", [0, 1, 5])
def test_a_frame_that_is_missing_or_damaged_is_told(total: int, lost: int):
    content = with_total(flac(noise()), total)
    starts = [at for at in range(len(content)) if content.startswith(b"\xff\xf8", at) and content[at + 4] < 8]
    assert [content[at + 4] for at in starts] == list(range(8))
    damaged = bytearray(content)
    damaged[starts[lost] + 4] ^= 0x10
    for changed in (content[: starts[lost]] + content[starts[lost + 1] :], bytes(damaged)):
        with pytest.raises(AudioError, match="begin was cut off|no frame of FLAC|frame .* is missing or damaged"):
            check_audio(AudioContent("x.flac", changed))


def crc(data: bytes, bits: int, polynomial: int) -> bytes:
    value = 0
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value >> bits - 1 else 0)) & (1 << bits) - 1
    return value.to_bytes(bits // 8, "big")


def counting_samples(content: bytes) -> list[bytes]:
    """What stands in front of the frames of a file, and frames that have the numbers of their first samples."""
    starts = [at for at in range(len(content)) if content.startswith(b"\xff\xf8", at) and content[at + 4] < 8]
    frames = []
    for index, (start, stop) in enumerate(itertools.pairwise([*starts, len(content)])):
        frame = content[start:stop]
        head = 5 + {6: 1, 7: 2}.get(frame[2] >> 4, 0)
        header = b"\xff\xf9" + frame[2:4] + chr(index * BLOCK).encode() + frame[5:head]
        changed = header + crc(header, 8, 0x107) + frame[head + 1 : -2]
        frames.append(changed + crc(changed, 16, 0x18005))
    return [content[: starts[0]], *frames]


@pytest.mark.parametrize("total", [32_000, 0])
def test_frames_that_count_samples_are_looked_at_as_well(total: int):
    start, *frames = counting_samples(with_total(flac(noise()), total))
    check_is(start + b"".join(frames), noise())
    with pytest.raises(AudioError, match="x.flac: sample 8193 of its 32000 is missing or damaged"):
        check_audio(AudioContent("x.flac", start + b"".join(frames[:2] + frames[3:])))


def test_what_looks_like_frames_again_and_again_is_given_up():
    with pytest.raises(AudioError, match="x.flac: corrupt or cut short: none of its last frames is whole"):
        check_audio(AudioContent("x.flac", flac(noise()) + b"\xff\xf8" * 70_000))
