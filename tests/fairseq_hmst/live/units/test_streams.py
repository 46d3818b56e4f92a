import numpy as np
import pytest

from fairseq_hmst.live.units.encoder_window import EncoderWindow
from fairseq_hmst.live.units.streams import UnitStreams
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.errors import OptionError
from preprocess.files.units import deduplicate
from preprocess.speech.extractors.mfcc import MfccExtractor


def nearest_of(extractor, speech: np.ndarray) -> NearestCentroid:
    return NearestCentroid(extractor.frames([speech])[0][::7])


def test_two_segments_of_one_model_do_not_disturb_each_other(speech, encoder):
    for extractor in (MfccExtractor(), encoder):
        nearest = nearest_of(extractor, speech)
        streams = UnitStreams(extractor, nearest, EncoderWindow())
        sounds = speech[:20_000], speech[20_000:50_000]
        one, other = streams.start(), streams.start()
        for stream, sound in ((one, sounds[0]), (other, sounds[1])):
            stream.add(sound)
        for stream, sound in ((one, sounds[0]), (other, sounds[1])):
            assert np.array_equal(stream.heard().units, deduplicate(nearest(extractor.frames([sound])[0]))[0])


def test_the_window_of_mfcc_is_refused(speech):
    extractor = MfccExtractor()
    nearest = nearest_of(extractor, speech)
    assert not UnitStreams(extractor, nearest, EncoderWindow()).uses_window
    with pytest.raises(OptionError, match=r"^encoder_look_ahead_seconds has no effect: the units are clusters of MFCC"):
        UnitStreams(extractor, nearest, EncoderWindow(encoder_look_ahead_seconds=0.5))


def test_the_window_of_an_encoder_is_used(speech, encoder):
    streams = UnitStreams(encoder, nearest_of(encoder, speech), EncoderWindow(encoder_left_seconds=2.0))
    assert streams.uses_window
    assert streams.start()._left == 100


@pytest.mark.parametrize(
    ("name", "value", "range"),
    [
        ("encoder_left_seconds", 0.4, r"0\.5\.\.24"),
        ("encoder_left_seconds", 30.0, r"0\.5\.\.24"),
        ("encoder_look_ahead_seconds", -0.1, r"0\.\.4"),
        ("encoder_look_ahead_seconds", float("nan"), r"0\.\.4"),
    ],
)
def test_a_window_out_of_range_is_refused(name: str, value: float, range: str):
    with pytest.raises(OptionError, match=f"{name} must lie in {range}, got {value:g}"):
        EncoderWindow(**{name: value})
