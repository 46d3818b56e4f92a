import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from audio_bytes import noise, patched, written

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, check_audio, load_audio, measure_audio, open_audio
from preprocess.speech.audio.samples import change_speed, resample


def claiming(rate: int, count: int = 15_000) -> bytes:
    """A WAV of `count` samples whose header says a rate."""
    return patched(written(noise(count)), 24, rate, "<I")


@pytest.mark.parametrize("rate", [0, 1, 3_999, 768_001, 999_983, 20_000_000, 2**31 - 1, 2**32 - 1])
def test_a_rate_at_which_nobody_records_is_refused_in_little_memory(tmp_path: Path, rate: int):
    path = tmp_path / "x.wav"
    path.write_bytes(claiming(rate))
    tracemalloc.start()
    try:
        for function in (load_audio, check_audio, measure_audio):
            with pytest.raises(AudioError, match="x.wav: "):
                function(path)
        with pytest.raises(AudioError, match="x.wav: "), open_audio(AudioContent("x.wav", path.read_bytes())):
            pass
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("rate", [4_000, 4_001, 47_999, 767_999, 768_000])
def test_rates_that_somebody_may_record_at_are_read_in_bounded_memory(tmp_path: Path, rate: int):
    path = tmp_path / "x.wav"
    path.write_bytes(claiming(rate, 30_000))
    assert scipy.signal  # imported before memory is measured
    tracemalloc.start()
    try:
        assert len(load_audio(path)) == math.ceil(30_000 * 16_000 / rate)
        assert tracemalloc.get_traced_memory()[1] < 48 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("rate", [4_001, 11_127, 16_001, 44_099, 96_001, 383_999, 767_999])
def test_a_tone_at_any_rate_is_that_tone_at_16_khz(rate: int):
    count = rate // 2 + 1
    tone = np.sin(2 * np.pi * 1_000 * np.arange(count) / rate).astype(np.float32)
    found = resample(tone, rate)
    assert len(found) == math.ceil(count * 16_000 / rate)
    assert found.dtype == np.float32
    expected = np.sin(2 * np.pi * 1_000 * np.arange(len(found)) / 16_000)
    inside = slice(200, -200)  # the filter needs what lies beyond the ends
    assert np.abs(found - expected)[inside].max() < (0.002 if rate <= 48_000 else 0.04)


def test_a_rate_whose_ratio_is_rounded_keeps_the_length_of_a_minute():
    rate = 95_999
    count = 60 * rate
    found = resample(np.ones(count, dtype=np.float32), rate)
    assert len(found) == 960_000
    assert np.allclose(found[1_000:-1_000], 1, atol=0.01)
    assert np.count_nonzero(found) >= 960_000 - 10


@pytest.mark.parametrize("speed", [0.5, 0.9, 0.937, 1.1, 2.0])
def test_at_another_speed_a_tone_is_as_much_higher_and_as_much_shorter(speed: float):
    tone = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000).astype(np.float32)
    found = change_speed(tone, speed)
    assert len(found) == math.ceil(16_000 / speed)
    assert found.dtype == np.float32 and np.abs(found).max() <= 1
    expected = np.sin(2 * np.pi * 1_000 * speed * np.arange(len(found)) / 16_000)
    assert np.abs(found - expected)[200:-200].max() < 0.002


def test_speed_1_leaves_every_sample_alone():
    noise = np.random.default_rng(0).uniform(-1, 1, 1_000).astype(np.float32)
    assert change_speed(noise, 1.0) is noise


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_speech_at_another_speed_is_what_torchaudio_makes_of_it(recorded_prompts, speed: float):
    import torch
    import torchaudio

    for waveform in recorded_prompts[:3]:
        # as torchaudio.functional.speed, with a filter as sharp as ours
        rate = round(16_000 * speed)
        expected = torchaudio.functional.resample(torch.from_numpy(waveform), rate, 16_000, lowpass_filter_width=32)
        found = change_speed(waveform, speed)
        assert (
            len(found)
            == len(expected)
            == len(torchaudio.functional.speed(torch.from_numpy(waveform), 16_000, speed)[0])
        )
        difference = found - expected.numpy()
        assert np.square(difference).sum() < 0.001 * np.square(found).sum()
