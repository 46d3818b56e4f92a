from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioFile, check_audio, load_audio, load_sound, open_audio

WHOLE_FILE_FORMATS = [("x.wav", "PCM_16"), ("x.flac", "PCM_16"), ("x.mp3", "MPEG_LAYER_III")]


def sine(hertz: float, seconds: float, rate: int = 16_000) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def save(folder: Path, samples: np.ndarray, rate: int = 16_000, name: str = "x.wav", subtype: str = "FLOAT") -> Path:
    soundfile.write(folder / name, samples, rate, subtype=subtype)
    return folder / name


def test_samples_at_16_khz_come_back_untouched(tmp_path: Path):
    expected = sine(440, 0.5)
    found = load_audio(save(tmp_path, expected))
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_a_tone_at_another_rate_becomes_the_same_tone_at_16_khz(tmp_path: Path, rate: int):
    found = load_audio(save(tmp_path, sine(1000, 1.0, rate), rate))
    assert len(found) == 16_000
    inside = slice(800, -800)  # the filter needs what lies beyond the ends
    assert np.abs(found - sine(1000, 1.0))[inside].max() < 0.005


def test_a_tone_above_8_khz_is_taken_out_and_not_folded_back(tmp_path: Path):
    found = load_audio(save(tmp_path, sine(12_000, 1.0, 44_100), 44_100))
    assert np.abs(found[800:-800]).max() < 0.005


def test_channels_in_opposite_phase_are_told_from_others(tmp_path: Path):
    left, noise = sine(440, 0.5), np.random.default_rng(0).normal(0, 0.1, 8000)
    one_of_many = np.zeros((8000, 32))
    one_of_many[:, 7] = left
    for channels, cancels in (
        (np.stack([left, -left], axis=1), True),
        (np.stack([left, -left, left, -0.95 * left], axis=1), True),
        (np.stack([left, 0.01 * noise - left], axis=1), True),
        (np.stack([left, -0.5 * left], axis=1), False),  # a quarter is left
        (np.stack([left, noise], axis=1), False),
        (np.stack([left, np.zeros(8000)], axis=1), False),
        (one_of_many, False),
        (1e-4 * np.stack([left, -left], axis=1), False),  # there is nothing to lose
        (np.zeros((8000, 2)), False),
        (left, False),
    ):
        sound = load_sound(save(tmp_path, channels))
        assert sound.channels_cancel == cancels
        assert np.array_equal(sound.samples, load_audio(tmp_path / "x.wav"))


def test_channels_that_cancel_are_those_of_the_stretch_that_was_read_last(tmp_path: Path):
    left = sine(440, 1.0)
    right = np.concatenate([left[:8000], -left[8000:]])
    with open_audio(save(tmp_path, np.stack([left, right], axis=1))) as file:
        for offset, seconds, cancels in ((0, 0.5, False), (0.5, 0.5, True), (0, 1, False)):
            file.read(offset, seconds)
            assert file.channels_cancel == cancels


def test_channels_are_averaged(tmp_path: Path):
    left, right = sine(300, 0.2), sine(700, 0.2)
    found = load_audio(save(tmp_path, np.stack([left, right], axis=1)))
    assert np.allclose(found, (left + right) / 2, atol=1e-7)


def test_silence_is_fine(tmp_path: Path):
    assert not load_audio(save(tmp_path, np.zeros(8_000))).any()


@pytest.mark.parametrize(
    ("name", "subtype"),
    [*WHOLE_FILE_FORMATS, ("x.ogg", "VORBIS"), ("x.ogg", "OPUS")],
)
def test_every_common_format_is_read(tmp_path: Path, name: str, subtype: str):
    found = load_audio(save(tmp_path, sine(440, 1.0), name=name, subtype=subtype))
    assert abs(len(found) - 16_000) < 1600
    assert np.corrcoef(found[4000:12000], sine(440, 1.0)[4000:12000])[0, 1] > 0.99


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_segment_equals_the_slice_of_the_whole(tmp_path: Path, rate: int):
    random = np.random.default_rng(0)
    path = save(tmp_path, 0.1 * random.standard_normal(2 * rate), rate)
    segment = load_audio(path, offset=0.5, duration=0.75)
    whole = load_audio(path)[8_000:20_000]
    assert len(segment) == len(whole)
    assert np.abs(segment - whole)[200:-200].max() < 1e-3


def test_no_duration_means_to_the_end(tmp_path: Path):
    path = save(tmp_path, sine(440, 1.0))
    assert np.array_equal(load_audio(path, offset=0.25), sine(440, 1.0)[4000:])


def test_an_end_that_rounding_moved_is_the_end_of_the_file(tmp_path: Path):
    path = save(tmp_path, sine(440, 1.0))
    assert len(load_audio(path, offset=0.5, duration=0.54)) == 8000
    assert check_audio(path, offset=0.5, duration=0.54) == 0.5


def test_a_little_above_full_scale_is_clipped_and_far_above_is_refused(tmp_path: Path):
    assert np.abs(load_audio(save(tmp_path, 3 * sine(440, 0.5)))).max() == 1
    with pytest.raises(AudioError, match=r"x.wav: samples reach 1.*e\+04; expected floats scaled"):
        load_audio(save(tmp_path, 30_000 * sine(440, 0.5)))


def test_25_ms_are_enough_and_20_ms_are_not(tmp_path: Path):
    assert len(load_audio(save(tmp_path, sine(440, 0.025)))) == 400
    assert len(load_audio(save(tmp_path, sine(440, 0.0251, 44_100), 44_100))) >= 400
    with pytest.raises(AudioError, match=r"x.wav: too short: 20.0 ms, expected at least 25 ms"):
        load_audio(save(tmp_path, sine(440, 0.020)))


def test_10_minutes_are_refused_but_a_segment_of_them_is_read(tmp_path: Path):
    path = save(tmp_path, np.zeros(600 * 8_000, dtype=np.int16), 8_000, subtype="PCM_16")
    for function in (load_audio, check_audio):
        with pytest.raises(AudioError, match=r"too long: 600.0 s, expected at most 60 s; cut it"):
            function(path)
    assert len(load_audio(path, offset=599, duration=1)) == 16_000


@pytest.mark.parametrize(("offset", "duration"), [(0.5, 0.6), (1.2, None), (1.2, 0.1), (1.0, None), (-0.1, 0.5)])
def test_a_segment_outside_its_file_is_refused(tmp_path: Path, offset: float, duration: float | None):
    path = save(tmp_path, sine(440, 1.0))
    for function in (load_audio, check_audio):
        with pytest.raises(AudioError, match=r"x.wav: the segment from .* lies outside the file, which is 1.000 s"):
            function(path, offset, duration)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float):
    samples = sine(440, 0.5)
    samples[[1234, 2000]] = value
    with pytest.raises(AudioError, match=r"x.wav: 2 samples are NaN or infinite, the first is number 1234"):
        load_audio(save(tmp_path, samples))


def test_missing_empty_and_foreign_files_are_refused(tmp_path: Path):
    path = tmp_path / "x.wav"
    with pytest.raises(AudioError, match=r"x.wav: audio file not found"):
        load_audio(path)
    path.touch()
    with pytest.raises(AudioError, match=r"x.wav: the audio file is empty"):
        load_audio(path)
    path.write_bytes(b"no sound at all " * 100)
    with pytest.raises(AudioError, match=r"x.wav: not audio but text, which begins 'no sound at all no sound"):
        load_audio(path)
    with pytest.raises(AudioError, match=r"found a folder or device"):
        load_audio(tmp_path)
    save(tmp_path, np.zeros(0))
    with pytest.raises(AudioError, match=r"too short: 0.0 ms"):
        load_audio(path)


@pytest.mark.parametrize(("name", "subtype"), WHOLE_FILE_FORMATS)
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, name: str, subtype: str):
    path = save(tmp_path, 0.1 * np.random.default_rng(0).standard_normal(48_000), name=name, subtype=subtype)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match=r"cut short"):
        load_audio(path)


def test_a_wav_that_was_written_to_a_pipe_is_whole(tmp_path: Path):
    path = save(tmp_path, sine(440, 0.5), subtype="PCM_16")
    content = bytearray(path.read_bytes())
    at = content.index(b"data")
    content[at + 4 : at + 8] = content[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert len(load_audio(path)) == 8000


def test_an_open_file_gives_stretches_lengths_and_blocks_in_any_order(tmp_path: Path):
    samples = 0.1 * np.random.default_rng(0).standard_normal((44_100, 2)).astype(np.float32)
    path = save(tmp_path, samples, 44_100)
    with open_audio(path) as file:
        late, early = file.read_samples(30_000, 20_000), file.read_samples(0, 30_000)
        assert np.allclose(np.concatenate([early, late]), samples.mean(axis=1), atol=1e-7)
        assert file.sample_rate == 44_100
        assert file.seconds(0.25, 0.5) == check_audio(path, 0.25, 0.5) == 0.5
        assert np.array_equal(file.read(0.25, 0.5), load_audio(path, 0.25, 0.5))
        with pytest.raises(AudioError, match=r"too long: 1.0 s, expected at most 0.4 s") as raised:
            file.read(max_seconds=0.4)
        assert file.seconds() == 1  # a refusal leaves the file open
    assert raised.value.places == (str(path),)
    assert raised.value.advice == "cut it into rows with offset and duration"


@pytest.mark.parametrize(("name", "subtype"), [("x.mp3", "MPEG_LAYER_III"), ("x.wav", "PCM_16"), ("x.ogg", "VORBIS")])
def test_what_a_mac_leaves_beside_a_file_does_not_count(tmp_path: Path, name: str, subtype: str):
    path = save(tmp_path, sine(440, 0.5), name=name, subtype=subtype)
    whole = load_audio(path)
    (tmp_path / f"._{name}").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(4072))
    assert np.array_equal(load_audio(path), whole)


def test_what_is_there_must_be_long_enough_and_not_only_what_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = save(tmp_path, sine(440, 0.04))
    read = AudioFile.read_samples
    for there, message in ((500, None), (399, "too short: 24.9 ms"), (0, "too short: 0.0 ms")):
        monkeypatch.setattr(AudioFile, "read_samples", lambda self, *stretch, there=there: read(self, *stretch)[:there])
        if message is None:
            assert len(load_audio(path)) == there
        else:
            with pytest.raises(AudioError, match=message):
                load_audio(path)
