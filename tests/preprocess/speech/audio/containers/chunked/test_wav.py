import io
import struct
from pathlib import Path

import numpy as np
import pytest
from audio_bytes import decoded, noise, samples_of, written

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, open_audio

PIPES = {
    "sox": (0x7FFFF024, 0x7FFFF000),
    "pocket-tts": (2_000_000_036, 2_000_000_000),
    "arecord": (0x7FFFFF24, 0x7FFFFF00),
    "2 GiB": (0x7FFFFFFF, 0x7FFFFFFF - 36),
    "ffmpeg": (0xFFFFFFFF, 0xFFFFFFFF),
    "lame": (0xFFFFFFFF, 0xFFFFFFD8),
    "rounded": (0x7FFFF024, 0x7FFFEFFC),
    "zeros": (0, 0),
    "zero of header alone": (36, 0),
    "zero of samples alone": (None, 0),
}
ID3V1 = b"TAG" + bytes(125)
ID3 = b"id3 " + struct.pack("<I", 3) + b"abc\0"
LIST = b"LIST" + struct.pack("<I", 16) + b"INFOISFT" + struct.pack("<I", 4) + b"abc\0"


def with_sizes(wav: bytes, riff: int | None, data: int) -> bytes:
    """A WAV whose header says other sizes; None: the right one."""
    at = wav.index(b"data") + 4
    size = wav[4:8] if riff is None else struct.pack("<I", riff)
    return wav[:4] + size + wav[8:at] + struct.pack("<I", data) + wav[at + 4 :]


@pytest.mark.parametrize("sizes", PIPES.values(), ids=PIPES)
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "ULAW", "MS_ADPCM", "GSM610"])
def test_a_wav_of_a_pipe_is_whole(sizes: tuple[int | None, int], subtype: str):
    wav = written(noise(8_000), subtype)
    assert np.array_equal(samples_of(with_sizes(wav, *sizes)), decoded(wav))


def test_a_wav_on_disk_is_read_as_one_in_memory(tmp_path: Path):
    wav = with_sizes(written(noise(8_000)), *PIPES["ffmpeg"])
    (tmp_path / "x.wav").write_bytes(wav)
    with open_audio(tmp_path / "x.wav") as file:
        assert file.measure() == 0.5
        assert np.array_equal(file.read_samples(1_000, 500), samples_of(wav)[1_000:1_500])


@pytest.mark.parametrize("behind", [b"", LIST, LIST + ID3, LIST[:20], ID3V1])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8"])
@pytest.mark.parametrize("count", [8_000, 8_001])
def test_what_stands_behind_the_samples_is_no_sound(behind: bytes, subtype: str, count: int):
    wav = written(noise(count), subtype)
    assert np.array_equal(samples_of(wav + behind), decoded(wav))
    unpadded = wav[: wav.index(b"data") + 8 + count * (2 if subtype == "PCM_16" else 1)]
    assert np.array_equal(samples_of(unpadded + behind), decoded(wav))


def test_chunks_of_any_name_behind_the_samples_are_no_sound_if_they_fill_the_file():
    wav = written(noise(8_000))
    for name in (b"\xa9cpy", bytes(4)):
        behind = name + struct.pack("<I", 5_000) + bytes(range(250)) * 20
        content = with_sizes(wav + behind, len(wav + behind) - 8, 16_000)
        assert np.array_equal(samples_of(content), decoded(wav))
        with pytest.raises(AudioError, match="what are the 7008 from byte 16044 on"):  # they do not
            samples_of(content + b"\1\2\3\4" * 500)


def test_no_samples_before_other_chunks_are_none():
    assert len(samples_of(written(noise(0)) + LIST)) == 0


@pytest.mark.parametrize("wrong", range(1, 17))
def test_a_size_that_is_slightly_wrong_is_put_right(wrong: int):
    wav = written(noise(8_001))
    expected = decoded(wav)
    assert np.array_equal(samples_of(with_sizes(wav, None, 16_002 + wrong)), expected)
    assert np.array_equal(samples_of(with_sizes(wav, None, 16_002 - wrong)), expected)
    assert np.array_equal(samples_of(with_sizes(wav + LIST, None, 16_002 + wrong)), expected)
    assert np.array_equal(samples_of(with_sizes(wav + LIST, None, 16_002 - wrong)), expected)


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32", "NMS_ADPCM_16"])
def test_blocks_that_a_size_slightly_too_large_claims_are_not_missed(subtype: str):
    wav = written(noise(8_000), subtype, 8_000)
    at = wav.index(b"data") + 4
    size = struct.unpack_from("<I", wav, at)[0]
    found, expected = samples_of(with_sizes(wav, None, size + 10)), decoded(wav)
    assert len(found) == len(expected)  # libsndfile makes a 26th block of GSM of its padding byte
    assert np.array_equal(found[:8_000], expected[:8_000])


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "ULAW", "IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32"])
def test_a_wav_that_was_cut_is_refused(subtype: str):
    wav = written(noise(16_000), subtype)
    at = wav.index(b"data") + 8
    size = struct.unpack_from("<I", wav, at - 4)[0]
    for left in (0, 1, size // 2, int(0.93 * size)):
        with pytest.raises(AudioError, match=f"cut short: its header says {size} bytes of samples, found {left}$"):
            samples_of(wav[: at + left])
    for left in (1, 11, 20, at - 1):
        with pytest.raises(AudioError, match=r"x.wav: "):
            samples_of(wav[:left])


def test_50_ms_may_be_missing():
    wav = written(noise(16_000))
    assert np.array_equal(samples_of(wav[:-1600]), decoded(wav)[:-800])
    with pytest.raises(AudioError, match="cut short"):
        samples_of(wav[:-1602])


def test_a_block_of_more_than_50_ms_may_not_be_missing():
    for subtype in ("MS_ADPCM", "IMA_ADPCM"):
        with pytest.raises(AudioError, match="cut short"):
            samples_of(written(noise(16_000), subtype)[:-10])


def test_sound_behind_a_size_that_was_not_brought_up_to_date_is_read_where_the_file_s_own_size_holds_it():
    wav = written(noise(16_000))
    assert np.array_equal(samples_of(with_sizes(wav, None, 10_000)), decoded(wav))
    with pytest.raises(AudioError, match="says 10000 bytes of samples; what are the 22000 from byte 10044 on"):
        samples_of(with_sizes(wav, 10_036, 10_000))


def test_zeros_that_fill_a_sector_are_no_sound():
    wav = written(noise(16_000))
    assert np.array_equal(samples_of(wav + bytes(4_096)), decoded(wav))


def test_samples_in_several_chunks_and_joined_files_are_refused():
    wav = written(noise(8_000))
    with pytest.raises(AudioError, match="in several chunks, of which one begins at byte 16068"):
        samples_of(wav + LIST + wav[36:])
    with pytest.raises(AudioError, match="a second audio file begins at its byte 16044"):
        samples_of(wav + wav)
    wavl = struct.pack("<I", 4 + len(wav) - 36) + b"wavl" + wav[36:]
    with pytest.raises(AudioError, match="in several chunks .wavl."):
        samples_of(wav[:36] + b"LIST" + wavl)


def big_endian(wav: bytes) -> bytes:
    fmt = struct.pack(">HHIIHH", *struct.unpack_from("<HHIIHH", wav, 20))
    body = np.frombuffer(wav[44:], "<i2").astype(">i2").tobytes()
    sizes = [struct.pack(">I", *struct.unpack_from("<I", wav, at)) for at in (4, 16, 40)]
    return b"RIFX" + sizes[0] + wav[8:16] + sizes[1] + fmt + b"data" + sizes[2] + body


def test_rifx_is_read_cut_or_not():
    wav = written(noise(8_000))
    rifx = big_endian(wav)
    assert np.array_equal(samples_of(rifx), decoded(wav))
    assert np.array_equal(samples_of(rifx[:40] + b"\xff" * 4 + rifx[44:]), decoded(wav))
    with pytest.raises(AudioError, match="cut short: its header says 16000 bytes of samples, found 8000"):
        samples_of(rifx[:8_044])


def rf64(wav: bytes, kind: bytes = b"RF64", riff: int = 0, data: int = 0) -> bytes:
    sizes = b"ds64" + struct.pack("<IQQQI", 28, riff, data, 0, 0)
    return kind + b"\xff" * 4 + b"WAVE" + sizes + wav[12:40] + b"\xff" * 4 + wav[44:]


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
@pytest.mark.parametrize("data", [0, 2**64 - 1, 16_002])
def test_rf64_is_read_whatever_its_sizes_are(kind: bytes, data: int):
    wav = written(noise(8_001))
    riff = len(wav) + 28 if data == 16_002 else data
    assert np.array_equal(samples_of(rf64(wav, kind, riff, data)), decoded(wav))
    without_ds64 = kind + rf64(wav)[4:12] + rf64(wav)[48:]
    assert np.array_equal(samples_of(without_ds64), decoded(wav))


def test_rf64_that_was_cut_is_refused():
    wav = rf64(written(noise(8_000)), riff=16_072, data=16_000)
    with pytest.raises(AudioError, match="cut short: its header says 16000 bytes of samples, found 7920"):
        samples_of(wav[:8_000])
    long = rf64(written(noise(8_000)), riff=5 * 10**9, data=5 * 10**9)
    with pytest.raises(AudioError, match="cut short: its header says 5000000000 bytes of samples, found 16000"):
        samples_of(long)


def test_sizes_that_went_beyond_32_bits_are_put_right(tmp_path: Path):
    header = with_sizes(written(noise(0)), 2**32 % 2**32 + 36 + 1_000, 1_000)
    with open(tmp_path / "x.wav", "wb") as file:
        file.write(header)
        file.truncate(44 + 2**32 + 1_000)  # sparse
    with open_audio(tmp_path / "x.wav") as audio:
        assert audio.num_samples == 2**31 + 500
        assert len(audio.read_samples(2**31, 1_000)) == 500


def test_only_headers_are_read(monkeypatch: pytest.MonkeyPatch):
    wav = with_sizes(written(noise(100_000)), *PIPES["sox"])
    read: list[int] = []

    class Counting(io.BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            found = super().read(count)
            read.append(len(found))
            return found

    monkeypatch.setattr("preprocess.speech.audio.audio_file.io.BytesIO", Counting)
    with open_audio(AudioContent("x.wav", wav)) as audio:
        assert audio.num_samples == 100_000
    assert sum(read) < 30_000
