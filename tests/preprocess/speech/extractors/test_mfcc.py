import numpy as np
import pytest
import torch
import torchaudio

from preprocess.errors import ExtractorError
from preprocess.speech.extractors import load_extractor, mfcc


@pytest.fixture
def extractor() -> mfcc.MfccExtractor:
    return mfcc.MfccExtractor()


def test_mel_filters_equal_torchaudios():
    expected = torchaudio.functional.melscale_fbanks(257, 60.0, 4000.0, 24, 16_000, norm=None, mel_scale="htk")
    assert np.allclose(mfcc.mel_filters(), expected.numpy(), atol=1e-5)


def test_cepstra_equal_torchaudios(waveforms, monkeypatch):
    monkeypatch.setattr(mfcc, "RELATIVE_FLOOR", 0.0)
    transform = torchaudio.transforms.MFCC(
        sample_rate=16_000,
        n_mfcc=13,
        log_mels=True,
        melkwargs={
            "n_fft": 512,
            "win_length": 400,
            "hop_length": 320,
            "f_min": 60.0,
            "f_max": 4000.0,
            "n_mels": 24,
            "center": False,
        },
    )
    for waveform in waveforms:
        waveform = 1000 * waveform  # torchaudio adds 1e-6 to the energies
        emphasised = torchaudio.functional.preemphasis(torch.from_numpy(waveform), 0.97)
        # torchaudio puts the window of 400 in the middle of 512 samples.
        expected = transform(torch.nn.functional.pad(emphasised, (56, 56)))
        found = mfcc.mel_cepstra(mfcc.power_spectra(mfcc.emphasise(waveform, None)), mfcc.mel_filters())
        assert np.allclose(found, expected.T.numpy(), atol=2e-3)


def test_differences_of_a_line_are_its_slope_and_of_the_ends_less():
    line = 3.0 * np.arange(10)[:, None] + np.array([[1.0, -2.0]])
    assert np.allclose(mfcc.differences(line)[2:-2], 3.0)
    # (1 * (3 - 0) + 2 * (6 - 0)) / 10: the first frame is repeated to its left
    assert np.allclose(mfcc.differences(line)[0], 1.5)


@pytest.mark.parametrize(("num_samples", "num_frames"), [(400, 1), (719, 1), (720, 2), (16_000, 49), (24_000, 74)])
def test_number_of_frames_is_that_of_wav2vec2(extractor, num_samples: int, num_frames: int):
    (frames,) = extractor.frames([np.random.default_rng(0).standard_normal(num_samples).astype(np.float32)])
    assert frames.shape == (num_frames, 39)
    assert frames.dtype == np.float32
    assert np.isfinite(frames).all()


def test_less_than_a_window_is_refused(extractor):
    with pytest.raises(ExtractorError, match=r"at least 400 samples"):
        extractor.frames([np.zeros(399, dtype=np.float32)])


@pytest.mark.parametrize("gain", [0.01, 0.5, 1.9])
def test_loudness_changes_nothing(extractor, waveforms, gain: float):
    for quiet, loud in zip(
        extractor.frames([gain * waveform for waveform in waveforms]), extractor.frames(waveforms), strict=True
    ):
        assert np.abs(quiet - loud).max() < 1e-3


def test_silence_gives_zeros(extractor):
    assert not extractor.frames([np.zeros(8_000, dtype=np.float32)])[0].any()


def test_what_lies_above_4_khz_changes_little(extractor, waveforms):
    time = np.arange(len(waveforms[0])) / 16_000
    hiss = (0.05 * np.sin(2 * np.pi * 6000 * time)).astype(np.float32)
    with_hiss, without = extractor.frames([waveforms[0] + hiss, waveforms[0]])
    assert np.abs(with_hiss - without).mean() < 0.05


def test_one_by_one_equals_batched(extractor, waveforms):
    for waveform, batched in zip(waveforms, extractor.frames(waveforms), strict=True):
        assert np.array_equal(extractor.frames([waveform])[0], batched)


def test_the_numbers_of_speech_vary_about_equally(extractor, recorded_prompts):
    spread = np.concatenate(extractor.frames(recorded_prompts)).std(axis=0)
    assert spread.min() > 0.4
    assert spread.max() < 1.6


def test_a_word_keeps_its_frames_in_other_company(extractor, recorded_prompts):
    """As they would not with mean 0 and variance 1 over the utterance, which every neighbour changes."""

    def standardised(frames: np.ndarray) -> np.ndarray:
        return (frames - frames.mean(axis=0)) / frames.std(axis=0)

    word, *others = recorded_prompts
    (alone,) = extractor.frames([word])
    inside = slice(0, len(alone) - 4), slice(1, None)  # differences look 4 frames ahead; cepstrum 0 is relative
    for other in others:
        (joined,) = extractor.frames([np.concatenate([word, other])])
        change = np.abs(joined[inside] - alone[inside])
        change_of_standardised = np.abs(standardised(joined)[inside] - standardised(alone)[inside])
        assert change.mean() < change_of_standardised.mean() / 2
        assert np.median(change) < 0.05


def test_another_setting_is_another_hash(monkeypatch):
    before = mfcc.MfccExtractor().hash
    assert mfcc.MfccExtractor().hash == before
    monkeypatch.setattr(mfcc, "NUM_FILTERS", 23)
    assert mfcc.MfccExtractor().hash != before


def test_mfcc_refuses_layer_and_device():
    assert load_extractor("mfcc", None, "cpu").layer == 0
    with pytest.raises(ExtractorError, match=r"has no layers; leave out --layer \(found 3\)"):
        load_extractor("mfcc", 3, "cpu")
    with pytest.raises(ExtractorError, match=r"runs on the CPU"):
        load_extractor("mfcc", None, "cuda")
