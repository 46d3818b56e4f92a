import importlib.util
import logging
from pathlib import Path

import numpy as np
import pytest

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, check_audio, load_audio, open_audio

pytest.importorskip("av", reason="needs the extra [formats]")

from foreign_audio import decode_all, tones, write_foreign

from preprocess.speech.audio.av_decoder import AvDecoder

LIVE = {"live": "1"}  # as a browser's MediaRecorder writes: no length in the header, nothing to seek by
# name: container, codec, rate, channels, options; how far a stretch may be from the same of the whole: the first are
# exact, Opus and AMR come near what they were as their past fades, AAC and AC-3 fill noise in at random
FILES = {
    "a.m4a": ("ipod", "aac", 44_100, 2, {}, 2e-3),
    "fragments.mp4": ("mp4", "aac", 48_000, 1, {"movflags": "frag_keyframe+empty_moov"}, 2e-3),
    "a.aac": ("adts", "aac", 16_000, 1, {}, 2e-3),
    "a.mkv": ("matroska", "aac", 44_100, 1, {}, 2e-3),
    "live.webm": ("webm", "libopus", 48_000, 1, LIVE, 2e-3),
    "opus.mp4": ("mp4", "libopus", 48_000, 2, {}, 2e-3),
    "a.amr": ("amr", "libopencore_amrnb", 8000, 1, {}, 2e-2),
    "a.3gp": ("3gp", "libopencore_amrnb", 8000, 1, {}, 2e-2),
    "lossless.m4a": ("ipod", "alac", 44_100, 2, {}, 0),
    "mp3.mp4": ("mp4", "libmp3lame", 44_100, 1, {}, 0),
    "a.wma": ("asf", "wmav2", 44_100, 1, {}, 0),
    "a.ac3": ("ac3", "ac3", 48_000, 1, {}, 2e-3),
    "a.wv": ("wv", "wavpack", 44_100, 1, {}, 0),
    "a.tta": ("tta", "tta", 44_100, 1, {}, 0),
    "flac.mka": ("matroska", "flac", 44_100, 1, {}, 0),
}
SLICES = ((0, 2000), (37_000, 3000), (20_000, 5000), (25_000, 800), (11, 1), (5000, 2000))


@pytest.mark.parametrize("name", FILES)
def test_length_and_samples_are_those_of_ffmpeg_from_any_sample_on(tmp_path: Path, name: str):
    container, codec, rate, channels, options, tolerance = FILES[name]
    path = write_foreign(tmp_path / name, container, codec, tones(rate, 3.0, channels), rate=rate, **options)
    expected = decode_all(path)
    size = len(expected) / 50_000
    for audio in (path, AudioContent(name, path.read_bytes())):
        with open_audio(audio) as file:
            assert isinstance(file._decoder, AvDecoder)
            assert (file.sample_rate, file.num_samples) == (rate, len(expected))
            assert np.array_equal(file.read_samples(0, file.num_samples + 1), expected.mean(axis=1))
            for begin, count in SLICES:
                start = round(begin * size)
                found = file.read_samples(start, count)
                assert len(found) == min(count, len(expected) - start)
                assert np.abs(found - expected[start : start + count].mean(axis=1)).max() <= tolerance
            assert len(file.read_samples(len(expected) - 10, 50)) == 10
    assert check_audio(path) == len(expected) / rate


def test_a_video_gives_its_sound_and_of_several_sound_tracks_the_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    one, two = tones(48_000, 1.0), np.zeros((48_000, 1), np.float32)
    path = write_foreign(tmp_path / "x.mkv", "matroska", "flac", one, two, video=True)
    with caplog.at_level(logging.WARNING):
        found = load_audio(path)
        load_audio(path)
    assert caplog.messages == [f"{path}: the first of 2 sound tracks is read"]
    assert np.abs(found - tones(16_000, 1.0)[:, 0])[400:-400].max() < 1e-2
    silent = write_foreign(tmp_path / "y.mkv", "matroska", "flac", video=True)
    with pytest.raises(AudioError, match=r"y.mkv: holds no sound"):
        check_audio(silent)


@pytest.mark.parametrize(
    ("name", "container", "codec", "rate", "options"),
    [
        ("no_index.m4a", "ipod", "aac", 48_000, {}),
        ("index_first.m4a", "ipod", "aac", 48_000, {"movflags": "faststart"}),
        ("fragments.mp4", "mp4", "aac", 48_000, {"movflags": "frag_keyframe+empty_moov"}),
        ("a.webm", "webm", "libopus", 48_000, {}),
        ("live.webm", "webm", "libopus", 48_000, LIVE),
        ("a.aac", "adts", "aac", 16_000, {}),
        ("a.amr", "amr", "libopencore_amrnb", 8000, {}),
        ("a.wma", "asf", "wmav2", 44_100, {}),
        ("a.wv", "wv", "wavpack", 44_100, {}),
        ("a.tta", "tta", "tta", 44_100, {}),
        ("a.avi", "avi", "pcm_s16le", 16_000, {}),
    ],
)
def test_a_file_that_was_cut_is_refused(
    tmp_path: Path, name: str, container: str, codec: str, rate: int, options: dict[str, str]
):
    path = write_foreign(tmp_path / name, container, codec, tones(rate, 1.0), rate=rate, **options)
    content = path.read_bytes()
    with pytest.raises(AudioError, match=rf"{name}: cut short"):
        check_audio(AudioContent(name, content[: len(content) * 2 // 3 + 5]))


def test_without_pyav_a_message_names_the_extra_and_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_foreign(tmp_path / "it's.m4a", "ipod", "aac", tones(48_000, 0.5))
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "av" else real(name, *rest))
    with pytest.raises(AudioError) as raised:
        check_audio(path)
    assert raised.value.found == "an MPEG-4 file (m4a, mp4, mov, 3gp), which libsndfile does not read"
    assert raised.value.advice == (
        "pip install 'fairseq_hmst[formats]' to have it read, or convert it: "
        f"""ffmpeg -i '{tmp_path}/it'"'"'s.m4a' '{tmp_path}/it'"'"'s.flac'"""
    )


@pytest.mark.parametrize("codec", ["aac", "alac"])
def test_a_second_file_behind_the_first_is_no_part_of_it(tmp_path: Path, codec: str):
    content = write_foreign(tmp_path / "x.m4a", "ipod", codec, tones(44_100, 1.0), rate=44_100).read_bytes()
    assert check_audio(AudioContent("x.m4a", content + bytes(100))) == check_audio(AudioContent("x.m4a", content))
    with pytest.raises(AudioError, match=rf"x.m4a: a second file begins at its byte {len(content)}; cut it in two"):
        check_audio(AudioContent("x.m4a", content * 2))
    with pytest.raises(AudioError, match=rf"x.m4a: its bytes from {len(content)} on are no part of it"):
        check_audio(AudioContent("x.m4a", content + bytes(20) + b"other"))


def test_a_codec_that_ffmpeg_does_not_know_is_told(tmp_path: Path):
    content = write_foreign(tmp_path / "x.webm", "webm", "libopus", tones(48_000, 1.0), rate=48_000).read_bytes()
    with pytest.raises(AudioError, match=r"x.webm: holds sound in a codec that FFmpeg does not know"):
        check_audio(AudioContent("x.webm", content.replace(b"A_OPUS", b"A_XXXX")))


def test_what_ffmpeg_cannot_read_either_is_told_with_a_command(tmp_path: Path):
    path = tmp_path / "x y.webm"
    path.write_bytes(bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d") + bytes(range(256)) * 20)
    with pytest.raises(
        AudioError, match=r"corrupt \(FFmpeg's reader of matroska: .*; .* ffmpeg -i '.*x y.webm' '.*flac'"
    ):
        check_audio(path)
