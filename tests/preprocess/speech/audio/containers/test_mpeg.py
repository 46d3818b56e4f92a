import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mpeg_files import ENCODER_DELAY, ID3, frames_of, has_length_header, mp3, piped, silent_frame, tone

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, open_audio
from preprocess.speech.audio.containers import find_parts
from preprocess.speech.audio.containers.mpeg import frames as frames_module

RATE = 16_000
WITH_HEADER = mp3(tone(3, RATE), RATE)
FRAMES = frames_of(WITH_HEADER)[1:]
WITHOUT_HEADER = b"".join(FRAMES)
FRAME_SAMPLES = 576

ID3_V1 = b"TAG".ljust(128, b"t")
ID3_WITH_FOOTER = b"ID3\x04\0\x10\0\0\0\x05hello3DI\x04\0\x10\0\0\0\x05"
APE_ITEM = b"\x05\0\0\0\0\0\0\0Title\0Hello"
APE_SIZES = struct.pack("<III", 2000, len(APE_ITEM) + 32, 1)
APE_V1 = APE_ITEM + b"APETAGEX" + APE_SIZES + bytes(12)
APE_V2 = b"".join(
    [b"APETAGEX", APE_SIZES, b"\0\0\0\xa0", bytes(8), APE_ITEM, b"APETAGEX", APE_SIZES, b"\0\0\0\x80", bytes(8)]
)
LYRICS = b"LYRICSBEGININD0000210INF00003hey000032LYRICS200"


def decode(content: bytes) -> np.ndarray:
    """All samples, of which the file said beforehand how many there are."""
    with open_audio(AudioContent("x.mp3", content)) as file:
        samples = file.read_samples(0, file.num_samples + 1)
        assert len(samples) == file.num_samples
        return samples


def by_libsndfile(folder: Path, content: bytes) -> np.ndarray:
    """All samples as libsndfile gives them at once of a file whose header is right."""
    (folder / "whole.mp3").write_bytes(content)
    return soundfile.read(folder / "whole.mp3", dtype="float32", always_2d=True)[0].mean(axis=1)


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    return len(found) == len(expected) and bool(np.abs(found - expected).max() < 1e-6)


@pytest.mark.parametrize(
    ("rate", "channels", "mode", "level"),
    [
        (48_000, 1, "CONSTANT", 0.5),
        (44_100, 2, "VARIABLE", 0.4),
        (32_000, 1, "VARIABLE", 0.9),
        (24_000, 1, "CONSTANT", 0.99),  # small frames, with bits in many others
        (22_050, 2, "VARIABLE", 0.6),
        (8_000, 1, "CONSTANT", 0.99),
    ],
)
def test_files_with_and_without_a_header_give_the_samples_that_libsndfile_gives_of_the_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: int, channels: int, mode: str, level: float
):
    monkeypatch.setattr("preprocess.speech.audio.containers.mpeg.mpeg.PART_FRAMES", 30)
    content = mp3(tone(4, rate, channels), rate, mode, level)
    expected = by_libsndfile(tmp_path, content)
    assert same(decode(content), expected)
    found = decode(piped(content))
    frames = frames_of(content)
    has_header = has_length_header(frames[0])
    assert len(found) == (1152 if rate >= 32_000 else 576) * (len(frames) - has_header)
    assert same(found[ENCODER_DELAY * has_header :][: len(expected)], expected)
    with open_audio(AudioContent("x.mp3", content)) as file:
        for start in np.random.default_rng(0).integers(0, len(expected) - 500, 20):
            assert same(file.read_samples(start, 500), expected[start : start + 500])


@pytest.mark.parametrize("kind", range(27))
def test_the_length_of_frames_of_all_sizes_of_each_version_layer_and_rate(kind: int):
    version, layer, rate_bits = (3, 2, 0)[kind // 9], kind // 3 % 3 + 1, kind % 3
    rate = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}[version][rate_bits]
    # Bit rates of the indices 8 and 14, and of the smallest that has room for silence, kbit/s.
    kbps = {
        (True, 1): {3: 96, 8: 256, 14: 448},
        (True, 2): {1: 32, 8: 128, 14: 384},
        (True, 3): {1: 32, 8: 112, 14: 320},
        (False, 1): {3: 56, 8: 128, 14: 256},
        (False, 2): {1: 8, 8: 64, 14: 160},
        (False, 3): {1: 8, 8: 64, 14: 160},
    }[version == 3, layer]
    samples = {1: 384, 2: 1152, 3: 1152 if version == 3 else 576}[layer]
    slot = 4 if layer == 1 else 1
    frames = [
        silent_frame(version, layer, rate_bits, index, samples * kbps[index] * 125 // rate // slot * slot)
        for index in [max(kbps), *kbps] * 150
    ]
    smallest = frames[1:2] * 300
    for some in (frames, smallest):
        found = decode(b"".join(some))
        assert len(found) == samples * len(some)
        assert not found.any()


@pytest.mark.parametrize(
    "tags",
    [ID3, ID3_WITH_FOOTER, ID3 + ID3_WITH_FOOTER, APE_V1, APE_V2, LYRICS + ID3_V1, ID3_V1 + ID3, APE_V1 + ID3_V1],
    ids=["ID3", "ID3 with footer", "two ID3", "APE 1", "APE 2", "Lyrics3", "both ID3", "APE 1 and ID3"],
)
def test_tags_in_front_behind_and_between_change_nothing(tags: bytes):
    expected = decode(WITHOUT_HEADER)
    for place in (0, 3, 30, len(FRAMES)):
        content = b"".join([*FRAMES[:place], tags, *FRAMES[place:]])
        assert np.array_equal(decode(content), expected), place


def test_zeros_between_frames_change_nothing():
    content = b"".join([bytes(500), *FRAMES[:9], bytes(5000), *FRAMES[9:], bytes(70)])
    assert np.array_equal(decode(content), decode(WITHOUT_HEADER))


@pytest.mark.parametrize(
    "first", [WITH_HEADER, piped(WITH_HEADER), WITH_HEADER + ID3_V1], ids=["file", "piped", "tagged"]
)
@pytest.mark.parametrize("second", [WITH_HEADER, piped(WITH_HEADER)], ids=["file", "piped"])
def test_joined_files_give_the_samples_of_each(first: bytes, second: bytes):
    found, alone = decode(first + second), (decode(first), decode(second))
    assert len(found) == len(alone[0]) + len(alone[1])
    assert same(found[: len(alone[0])], alone[0])
    # What the filter bank keeps of the first file sounds into a second that tells nothing of its begin.
    assert same(found[len(alone[0]) + 2000 :], alone[1][2000:])


def test_one_channel_may_be_followed_by_two():
    stereo = b"".join(frames_of(mp3(tone(2, RATE, 2), RATE))[1:])
    assert np.array_equal(decode(WITHOUT_HEADER + stereo), np.concatenate([decode(WITHOUT_HEADER), decode(stereo)]))


def test_another_rate_behind_is_an_error():
    with pytest.raises(AudioError, match="joined of streams at 16000 and 24000"):
        decode(WITHOUT_HEADER + b"".join(frames_of(mp3(tone(1, 24_000), 24_000))[1:]))


def with_count(add: int) -> bytes:
    place = WITH_HEADER.index(b"Info") + 8
    return WITH_HEADER[:place] + (len(FRAMES) + add).to_bytes(4, "big") + WITH_HEADER[place + 4 :]


def test_a_header_that_counts_a_frame_too_few_changes_nothing():
    assert same(decode(with_count(-1)), decode(WITH_HEADER))


def test_a_header_that_counts_a_frame_too_many_leaves_its_padding_where_it_said():
    found, expected = decode(with_count(1)), decode(WITH_HEADER)
    assert same(found[: len(expected)], expected)
    assert 0 <= len(found) - len(expected) <= FRAME_SAMPLES


def test_frames_behind_those_that_the_header_counts_are_read():
    assert len(decode(WITH_HEADER + WITHOUT_HEADER)) == len(decode(WITH_HEADER)) + FRAME_SAMPLES * len(FRAMES)


def test_a_header_that_counts_frames_of_joined_files_is_right():
    place = WITH_HEADER.index(b"Info") + 8
    remade = WITH_HEADER[:place] + (2 * len(FRAMES) + 1).to_bytes(4, "big") + WITH_HEADER[place + 4 :]
    assert len(decode(remade + WITH_HEADER)) >= 2 * len(decode(WITH_HEADER))


@pytest.mark.parametrize(
    "content",
    [with_count(3), WITH_HEADER[: len(WITH_HEADER) // 2], WITH_HEADER[:-1500]],
    ids=["counts more", "cut in half", "cut near its end"],
)
def test_fewer_frames_than_the_header_says_are_a_file_that_was_cut(content: bytes):
    with pytest.raises(AudioError, match=r"cut short: its header says \d+ frames, found \d+"):
        decode(content)


def test_of_a_file_without_header_that_was_cut_all_whole_frames_are_read():
    content = b"".join([*FRAMES[:40], FRAMES[40][:-1]])
    assert np.array_equal(decode(content), decode(b"".join(FRAMES[:40])))


def test_vbri_headers_are_no_sound_and_their_count_is_believed():
    def header(count: int) -> bytes:
        fields = struct.pack(">4sHHHII", b"VBRI", 1, 0, 75, len(WITHOUT_HEADER), count)
        return (FRAMES[5][:4] + bytes(32) + fields).ljust(len(FRAMES[5]), b"\0")

    assert np.array_equal(decode(header(len(FRAMES)) + WITHOUT_HEADER), decode(WITHOUT_HEADER))
    with pytest.raises(AudioError, match="cut short"):
        decode(header(len(FRAMES) + 9) + WITHOUT_HEADER)


def test_a_frame_with_a_damaged_header_is_passed_over():
    damaged = b"\xff\x00" + FRAMES[40][2:]
    content = b"".join([*FRAMES[:40], damaged, *FRAMES[41:]])
    assert len(decode(content)) == FRAME_SAMPLES * (len(FRAMES) - 1)


def test_junk_of_a_frame_s_size_before_the_first_is_what_is_left_of_another():
    assert np.array_equal(decode(FRAMES[20][9:] + b"".join(FRAMES[21:])), decode(b"".join(FRAMES[21:])))


def test_a_frame_that_was_cut_before_the_next_file_is_left_out():
    content = b"".join([*FRAMES[:20], FRAMES[20][:50], ID3, *FRAMES])
    assert len(decode(content)) == FRAME_SAMPLES * (20 + len(FRAMES))


@pytest.mark.parametrize(
    "junk", [b"some text. " * 110, FRAMES[0][4:] * 9, bytes(900) + b"x" * 900], ids=["text", "frame", "zeros and text"]
)
def test_more_than_a_damaged_frame_is_an_error_that_names_the_bytes(junk: bytes):
    start = sum(map(len, FRAMES[:30]))
    for place, frames in ((0, 0), (start, 30), (len(WITHOUT_HEADER), len(FRAMES))):
        content = b"".join([*FRAMES[:frames], junk, *FRAMES[frames:]])
        with pytest.raises(AudioError, match=rf"bytes {place} to {place + len(junk)} of the file are damaged"):
            decode(content)


def test_three_damaged_frames_of_a_long_file_are_an_error():
    content = b"".join([*FRAMES * 5, *(frame[2:] for frame in FRAMES[:3]), *FRAMES * 5])
    with pytest.raises(AudioError, match="damaged"):
        decode(content)


def test_a_hole_of_zeros_is_damage():
    content = b"".join([*FRAMES[:20], FRAMES[20][:50], bytes(3000), FRAMES[50][50:], *FRAMES[51:]])
    with pytest.raises(AudioError, match="damaged"):
        decode(content)


def test_many_damaged_frames_are_an_error():
    frames = [b"\0" + frame[1:] if number % 10 == 5 else frame for number, frame in enumerate(FRAMES)]
    with pytest.raises(AudioError, match="other places"):
        decode(b"".join(frames))


def test_other_formats_are_left_to_libsndfile(tmp_path: Path):
    names = ["x.wav", "x.flac", "x.ogg", "x.aiff", "x.au", "x.caf", "x.w64"]
    for name in names:
        soundfile.write(tmp_path / name, tone(0.5, RATE), RATE)
    (tmp_path / "y.flac").write_bytes(ID3 + (tmp_path / "x.flac").read_bytes())
    (tmp_path / "noise").write_bytes(np.random.default_rng(0).bytes(200_000))
    for name in [*names, "y.flac", "noise"]:
        with open(tmp_path / name, "rb") as file:
            parts = find_parts(file, (tmp_path / name).stat().st_size)
        assert not any(part.skipped for part in parts), name


@pytest.mark.parametrize(
    "content", [ID3, FRAMES[0][:100], b"\xff\xfb\x00\xc0" * 300], ids=["tag", "part of a frame", "free format"]
)
def test_files_without_frames_say_so(content: bytes):
    with pytest.raises(AudioError, match="no frames of it follow"):
        decode(content)


def test_frames_are_found_across_windows_of_memory(monkeypatch: pytest.MonkeyPatch):
    expected = decode(ID3 + WITHOUT_HEADER)
    monkeypatch.setattr("preprocess.speech.audio.containers.window.WINDOW_BYTES", 700)
    assert np.array_equal(decode(ID3 + WITHOUT_HEADER), expected)


def in_wav(frames: bytes) -> bytes:
    fmt = struct.pack("<HHIIHHHHIHHH", 0x55, 1, RATE, 4000, 1, 0, 12, 1, 2, 360, 1, 1393)
    chunks = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(frames)) + frames
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


@pytest.mark.parametrize("frames", [WITH_HEADER, WITHOUT_HEADER], ids=["with header", "without"])
def test_an_mp3_in_a_wav_is_read_as_it_would_be_alone(frames: bytes):
    wav = in_wav(frames)
    assert np.array_equal(decode(wav), decode(frames))
    assert np.array_equal(decode(wav.replace(struct.pack("<I", len(frames)), b"\xff\xff\xff\xff")), decode(frames))
    with pytest.raises(AudioError, match="cut short"):
        decode(wav[:-900])


@pytest.mark.parametrize("junk", [b"LYRICSBEGIN" * 3_000, b"\xff\xe3\xf0" * 20_000], ids=["tags", "headers"])
def test_what_looks_like_frames_or_tags_again_and_again_is_given_up(junk: bytes, monkeypatch: pytest.MonkeyPatch):
    looked_at: list[int] = []
    kind_at = frames_module._Walk._kind_at
    monkeypatch.setattr(
        frames_module._Walk, "_kind_at", lambda self, position: looked_at.append(position) or kind_at(self, position)
    )
    monkeypatch.setattr(frames_module, "MAX_FALSE_STARTS", 100)
    with pytest.raises(AudioError, match=rf"bytes {len(WITHOUT_HEADER)} to {len(WITHOUT_HEADER + junk)} .* damaged"):
        decode(WITHOUT_HEADER + junk)
    assert len(looked_at) < 300
