"""Pieces of a stream become the samples that all of it at once becomes."""

import numpy as np
import pytest
import torch

from fairseq_hmst.live.samples import StreamInput, StreamResampler
from fairseq_hmst.translate import TranslationError
from preprocess.errors import OptionError
from preprocess.speech.audio.samples import resample


@pytest.mark.parametrize("rate", [8000, 11025, 12345, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("size", [77, 160, 5000, 10**6])
def test_pieces_are_resampled_to_the_bit_as_the_whole(rate, size):
    samples = np.random.default_rng(0).normal(0, 0.2, 2 * rate + 37).astype(np.float32)
    resampler = StreamResampler(rate)
    pieces = [resampler.add(samples[start : start + size]) for start in range(0, len(samples), size)]
    np.testing.assert_array_equal(np.concatenate([*pieces, resampler.finish()]), resample(samples, rate))


def test_a_resampler_keeps_no_more_than_its_filter_needs():
    resampler = StreamResampler(44_100)
    for _ in range(100):
        resampler.add(np.zeros(4410, np.float32))
    assert len(resampler._block) < 2000


@pytest.mark.parametrize(
    "samples",
    [
        np.array([0.5, -0.25], np.float64),
        np.array([16384, -8192], np.int16),
        np.array([2**30, -(2**29)], np.int32),
        np.array([192, 96], np.uint8),
        torch.tensor([0.5, -0.25]),
        torch.tensor([16384, -8192], dtype=torch.int16),
        np.array([[1.0, 0.0], [-0.5, 0.0]]),
    ],
)
def test_every_form_of_samples_is_the_same_sound(samples):
    np.testing.assert_allclose(StreamInput(16_000).add(samples), [0.5, -0.25])


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.array([0.0, np.nan]), "1 samples are NaN or infinite, the first is number 1"),
        (np.array([0.0, np.inf, 0.0]), "NaN or infinite"),
        (np.array([0.0, 300.0]), "expected floats scaled"),
        (np.array([True]), "expected samples as floats"),
        (np.zeros((2, 2, 2)), "expected samples of shape"),
        (np.zeros((2, 16_000)), "expected samples of shape"),
    ],
)
def test_a_piece_that_is_no_sound_is_refused_whole_and_the_stream_goes_on(samples, message):
    stream = StreamInput(16_000)
    stream.add(np.zeros(16_000))
    with pytest.raises(TranslationError, match=f"from 1.000 s on.*{message}"):
        stream.add(samples)
    assert stream.seconds == 1.0
    assert len(stream.add(np.zeros(160))) == 160


def test_what_is_no_array_and_no_rate_is_refused():
    with pytest.raises(TypeError, match="found list"):
        StreamInput(16_000).add([0.0])
    with pytest.raises(OptionError, match="sampling_rate"):
        StreamInput(10)


def test_no_samples_are_a_piece_too():
    assert len(StreamInput(8000).add(np.zeros(0))) == 0
