"""Loudness of recordings, read block by block, their peaks, and how they are cut and grouped."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from fairseq_hmst.translate.recordings import reading
from fairseq_hmst.translate.recordings.reading import groups_of, read_length, read_peaks, read_stretches
from fairseq_hmst.translate.recordings.recording import Recording, Stretch
from preprocess.errors import AudioError
from preprocess.speech.audio import open_audio


def read_energies(path: Path, offset: float, seconds: float) -> np.ndarray:
    with open_audio(path) as audio:
        return reading.read_energies(audio, offset, seconds)


def cut(recording: Recording, max_seconds: float) -> list[Stretch]:
    with open_audio(recording.audio) as audio:
        return reading.cut(recording, audio, max_seconds)


def write_wav(path: Path, seconds: float, rate: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), channels)).astype(np.float32)
    samples *= np.linspace(0, 1, len(samples), dtype=np.float32)[:, None]
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return samples


def make_recording(path: Path, seconds: float, uncut_seconds: float = 20.0) -> Recording:
    return Recording(str(path), path, 0.0, None, None, uncut_seconds, seconds)


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (11_025, 2), (44_100, 1), (8_000, 3)])
def test_energies_are_root_mean_squares_of_each_10_ms(tmp_path, rate, channels, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_FRAMES", 7)  # blocks that end where a second does not
    samples = write_wav(tmp_path / "a.wav", 1.23, rate, channels).mean(axis=1)
    expected = [
        np.sqrt(np.mean(samples[round(frame * 0.01 * rate) : round((frame + 1) * 0.01 * rate)].astype(float) ** 2))
        for frame in range(123)
    ]
    np.testing.assert_allclose(read_energies(tmp_path / "a.wav", 0.0, 1.23), expected, rtol=1e-5)


def test_energies_of_a_stretch_are_those_of_the_whole_there(tmp_path):
    write_wav(tmp_path / "a.wav", 2.0, 16_000)
    whole = read_energies(tmp_path / "a.wav", 0.0, 2.0)
    np.testing.assert_allclose(read_energies(tmp_path / "a.wav", 0.5, 1.0), whole[50:150])


def test_samples_that_are_no_numbers_are_an_error_with_their_time(tmp_path):
    samples = write_wav(tmp_path / "a.wav", 2.0, 16_000)
    samples[20_000] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"a.wav: NaN or infinite samples, the first 1.25 s from its begin"):
        read_energies(tmp_path / "a.wav", 0.0, 2.0)


def test_a_file_that_is_no_audio_is_an_error(tmp_path):
    (tmp_path / "a.wav").write_text("text")
    with pytest.raises(AudioError, match="a.wav: not audio but text"):
        read_energies(tmp_path / "a.wav", 0.0, 2.0)


def test_a_file_of_an_impossible_rate_is_the_fault_of_its_recording(tmp_path):
    write_wav(tmp_path / "a.wav", 1.0, 16_000)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:24] + (999_983).to_bytes(4, "little") + content[28:])
    recording = make_recording(tmp_path / "a.wav", 1.0)
    assert list(read_stretches([recording], 20.0)) == []
    assert "a.wav: its header says 999983 samples a second" in str(recording.fault)
    assert read_length(tmp_path / "a.wav") is None
    with pytest.raises(AudioError, match="999983 samples a second, expected 4000 to 768000"):
        read_peaks(tmp_path / "a.wav", 0.0, 1.0, 10)


def test_a_short_recording_stays_whole_and_a_long_one_is_cut_in_times_of_its_file(tmp_path):
    samples = write_wav(tmp_path / "a.wav", 10.0, 8_000)
    samples[30_000:50_000] = 0  # 3.75 to 6.25 s
    soundfile.write(tmp_path / "a.wav", samples, 8_000)
    recording = make_recording(tmp_path / "a.wav", 10.0)
    assert [(part.offset, part.duration, part.seconds) for part in cut(recording, 20.0)] == [(0.0, None, 10.0)]
    recording = make_recording(tmp_path / "a.wav", 8.0, uncut_seconds=6.0)
    recording.offset = 2.0
    first, second = cut(recording, 6.0)
    np.testing.assert_allclose(first.offset + first.seconds, 3.9, atol=0.02)
    np.testing.assert_allclose([second.offset, second.offset + second.seconds], [6.1, 10.0], atol=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_groups_hold_all_in_order_and_as_much_as_fits(tmp_path, seed):
    lengths = np.random.default_rng(seed).uniform(1, 12, size=30)
    recordings = [make_recording(tmp_path, length) for length in lengths]
    groups = list(groups_of(recordings, 20.0))
    assert [item for group in groups for item in group] == recordings
    sums = [sum(item.seconds for item in group) for group in groups]
    assert max(sums) <= 20.0
    assert all(total + following[0].seconds > 20.0 for total, following in zip(sums[:-1], groups[1:], strict=True))


def test_what_is_longer_than_a_group_is_one_by_itself(tmp_path):
    recordings = [make_recording(tmp_path, length) for length in (3.0, 50.0, 3.0)]
    assert [len(group) for group in groups_of(recordings, 20.0)] == [1, 1, 1]


@pytest.fixture
def two_seconds(tmp_path):
    """Two seconds of two channels whose mean is 0.1 in each first half second and -0.3 in each second."""
    mean = np.tile(np.repeat([0.1, -0.3], 4000), 2)
    soundfile.write(tmp_path / "x.wav", np.stack([mean + 0.2, mean - 0.2], 1), 8000, subtype="FLOAT")
    return tmp_path / "x.wav"


def test_peaks_are_the_extremes_of_the_mean_of_the_channels(two_seconds):
    assert read_peaks(two_seconds, 0.0, 2.0, 4) == pytest.approx(np.array([[0.1, 0.1], [-0.3, -0.3]] * 2))
    assert read_peaks(two_seconds, 0.25, 0.75, 1) == pytest.approx(np.array([[-0.3, 0.1]]))


def test_peaks_end_with_the_file(two_seconds):
    assert read_peaks(two_seconds, 1.0, 9.0, 2) == pytest.approx(np.array([[0.1, 0.1], [-0.3, -0.3]]))


def test_a_file_is_opened_once_for_its_loudness_and_all_its_stretches(tmp_path, monkeypatch):
    samples = np.concatenate([write_wav(tmp_path / "a.wav", 2.0, 8_000), np.zeros((12_000, 1))])
    soundfile.write(tmp_path / "a.wav", np.concatenate([samples] * 4), 8_000)
    recording = make_recording(tmp_path / "a.wav", 0.0, uncut_seconds=5.0).with_length()
    assert recording.seconds == 14.0
    opened, plain = [], soundfile.SoundFile

    def count(path, *arguments, **options):
        opened.append(path)
        return plain(path, *arguments, **options)

    monkeypatch.setattr(soundfile, "SoundFile", count)
    stretches = list(read_stretches([recording], 5.0))
    assert len(stretches) == 4
    assert stretches == recording.stretches
    assert len(opened) == 1
    assert all(len(stretch.waveform) == pytest.approx(16_000 * stretch.seconds, abs=2) for stretch in stretches)


def test_a_recording_that_breaks_off_gets_a_fault_with_its_place_and_the_next_is_read(tmp_path):
    write_wav(tmp_path / "good.wav", 2.0, 8_000)
    soundfile.write(tmp_path / "bad.wav", np.full(16_000, np.nan), 8_000, subtype="FLOAT")
    bad, good = (make_recording(tmp_path / name, 2.0) for name in ("bad.wav", "good.wav"))
    assert [stretch.recording for stretch in read_stretches([bad, good], 20.0)] == [good]
    assert bad.fault.places == (str(tmp_path / "bad.wav"),)
    assert bad.fault.found == "16000 samples are NaN or infinite, the first is number 0"
    assert good.fault is None


def test_a_length_is_none_where_there_is_no_sound(tmp_path):
    write_wav(tmp_path / "long.wav", 61.5, 8_000)
    assert read_length(tmp_path / "long.wav") == 61.5
    (tmp_path / "text.wav").write_text("no sound")
    assert read_length(tmp_path / "text.wav") is None


def test_channels_that_cancel_each_other_are_warned_of_with_name_and_time(tmp_path, caplog):
    left = write_wav(tmp_path / "mono.wav", 1.0, 16_000)[:, 0]
    soundfile.write(tmp_path / "stereo.wav", np.stack([left, -left], axis=1), 16_000)
    recordings = [make_recording(tmp_path / name, 1.0) for name in ("mono.wav", "stereo.wav")]
    assert len(list(read_stretches(recordings, 20.0))) == 2
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{tmp_path / 'stereo.wav'}: the channels cancel each other from 0.0 s on")
