import numpy as np
import pytest

from fairseq_hmst.live.units.heard import HeardUnits
from fairseq_hmst.live.units.mfcc_stream import FRAMES_AHEAD, MfccStream
from preprocess.clustering.lloyd import fit_centroids
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.files.units import deduplicate, expand
from preprocess.speech.extractors import mfcc

EXTRACTOR = mfcc.MfccExtractor()


@pytest.fixture(scope="module")
def nearest(speech) -> NearestCentroid:
    return NearestCentroid(fit_centroids(EXTRACTOR.frames([speech])[0], 40, seed=0)[0])


def assert_whole(heard: HeardUnits, samples: np.ndarray, nearest: NearestCentroid) -> None:
    units, run_lengths = deduplicate(nearest(EXTRACTOR.frames([samples])[0]))
    assert np.array_equal(heard.units, units)
    assert np.array_equal(heard.run_lengths, run_lengths)


@pytest.mark.parametrize("size", [1, 160, 320, 333, 8000, 10**9])
def test_units_after_any_split_are_those_of_the_whole(speech, split, nearest, size: int):
    speech = speech[:8000] if size == 1 else speech
    stream, asked_once, num_samples = MfccStream(EXTRACTOR, nearest), MfccStream(EXTRACTOR, nearest), 0
    for number, piece in enumerate(split(speech, size)):
        stream.add(piece)
        asked_once.add(piece)
        num_samples += len(piece)
        heard = stream.heard()
        if num_samples >= 400 and number % max(1, 4000 // size) == 0:
            assert_whole(heard, speech[:num_samples], nearest)
    assert_whole(stream.heard(), speech, nearest)
    assert_whole(asked_once.heard(), speech, nearest)


def test_frames_after_a_split_are_those_of_the_whole_to_the_last_bit(speech, split, nearest):
    stream = MfccStream(EXTRACTOR, nearest)
    for piece in split(speech, 777):
        stream.add(piece)
        stream.heard()
    assert np.array_equal(EXTRACTOR.frames_of_spectra(stream._spectra), EXTRACTOR.frames([speech])[0])


def test_no_spectrum_is_computed_twice(speech, split, nearest, monkeypatch):
    num_windows = []

    def counting(emphasised: np.ndarray) -> np.ndarray:
        spectra = mfcc.power_spectra(emphasised)
        num_windows.append(len(spectra))
        return spectra

    monkeypatch.setattr("fairseq_hmst.live.units.mfcc_stream.power_spectra", counting)
    stream = MfccStream(EXTRACTOR, nearest)
    for piece in split(speech, 1000):
        stream.add(piece)
        stream.heard()
    assert sum(num_windows) == sum(stream.heard().run_lengths) == 1 + (len(speech) - 400) // 320


@pytest.mark.parametrize("num_samples", [0, 1, 399])
def test_too_few_samples_give_no_units(nearest, num_samples: int):
    stream = MfccStream(EXTRACTOR, nearest)
    stream.add(np.ones(num_samples, dtype=np.float32))
    heard = stream.heard()
    assert (len(heard.units), len(heard.run_lengths), heard.num_settled) == (0, 0, 0)


def test_the_samples_that_were_added_may_be_overwritten(speech, nearest):
    stream, microphone = MfccStream(EXTRACTOR, nearest), speech[:8000].copy()
    stream.add(microphone)
    microphone[:] = 0
    assert_whole(stream.heard(), speech[:8000], nearest)


def test_settled_units_do_not_change_but_for_loudness(nearest):
    """Centroids of one cepstrum 0 do not see the loudness of the segment, and noise does not reach its floor."""
    noise = np.random.default_rng(0).uniform(-1, 1, 48_000).astype(np.float32)
    centroids = nearest.centroids.copy()
    centroids[:, 0] = 0
    stream, before = MfccStream(EXTRACTOR, NearestCentroid(centroids)), np.zeros(0, dtype=np.int64)
    for begin in range(0, len(noise), 500):
        stream.add(noise[begin : begin + 500])
        heard = stream.heard()
        settled = expand(heard.units[: heard.num_settled], heard.run_lengths[: heard.num_settled])
        assert len(settled) <= max(0, heard.run_lengths.sum() - FRAMES_AHEAD)
        assert np.array_equal(before, settled[: len(before)])
        before = settled
    assert len(before) > 130


def test_frames_ahead_is_exactly_the_reach_of_the_differences():
    cepstra = np.random.default_rng(0).standard_normal((40, 2))
    changed = cepstra.copy()
    changed[-1] += 1.0
    second, second_changed = (mfcc.differences(mfcc.differences(array)) for array in (cepstra, changed))
    # the frame behind the last one decides about as many as an end that is repeated
    is_equal = np.isclose(second, second_changed).all(axis=1)
    assert is_equal[: 40 - 1 - FRAMES_AHEAD].all()
    assert not is_equal[40 - 1 - FRAMES_AHEAD]
