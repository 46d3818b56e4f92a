"""Windows against the whole: an encoder that sees few frames around itself must give the very units of the whole."""

import numpy as np
import pytest

from fairseq_hmst.live.units.encoder_window import EncoderWindow
from fairseq_hmst.live.units.windowed_stream import WindowedStream
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.errors import ExtractorError
from preprocess.files.units import deduplicate, expand

SHIFT = 320
REACH = 5  # frames to each side that a frame of LocalEncoder depends on


class LocalEncoder:
    """Sums of 2 REACH + 1 windows, nothing repeated at the ends; `is_whisper` counts frames as Whisper does."""

    name, source, layer, hash, width, frame_shift_seconds = "local", "local", 1, "", 3, 0.02

    def __init__(self, is_whisper: bool) -> None:
        self.is_whisper = is_whisper
        self.num_samples: list[int] = []

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        return [self._frames(waveform) for waveform in waveforms]

    def _frames(self, waveform: np.ndarray) -> np.ndarray:
        if len(waveform) < 400:
            raise ExtractorError("too short")
        self.num_samples.append(len(waveform))
        num_frames = -(-(len(waveform) // 160) // 2) if self.is_whisper else (len(waveform) - 400) // SHIFT + 1
        padded = np.pad(waveform, (0, SHIFT)).astype(np.float64)
        blocks = padded[: num_frames * SHIFT].reshape(num_frames, SHIFT)
        sums = np.stack([blocks.sum(1), np.abs(blocks).sum(1), (blocks**2).sum(1)], axis=1)
        padded_sums = np.pad(sums, ((REACH, REACH), (0, 0)))
        return sum(padded_sums[k : k + num_frames] * (k + 1) for k in range(2 * REACH + 1)).astype(np.float32)


def nearest_of(encoder, speech: np.ndarray, clusters: int = 30) -> NearestCentroid:
    (frames,) = encoder.frames([speech])
    return NearestCentroid(frames[np.random.default_rng(0).choice(len(frames), clusters, replace=False)])


def window(left: float, look_ahead: float) -> EncoderWindow:
    return EncoderWindow(encoder_left_seconds=left, encoder_look_ahead_seconds=look_ahead)


def expand_all(heard) -> np.ndarray:
    return expand(heard.units, heard.run_lengths)


@pytest.mark.parametrize("is_whisper", [False, True], ids=["wav2vec2", "whisper"])
@pytest.mark.parametrize("size", [100, 320, 1000, 8000])
def test_units_of_a_local_encoder_are_those_of_the_whole_at_every_point(speech, split, is_whisper: bool, size: int):
    encoder = LocalEncoder(is_whisper)
    nearest = nearest_of(encoder, speech)
    stream, num_samples = WindowedStream(encoder, nearest, window(0.5, 0.14)), 0
    for piece in split(speech, size):
        stream.add(piece)
        num_samples += len(piece)
        heard = stream.heard()
        if num_samples < 400:
            assert len(heard.units) == 0
            continue
        units, run_lengths = deduplicate(nearest(encoder.frames([speech[:num_samples]])[0]))
        assert np.array_equal(heard.units, units)
        assert np.array_equal(heard.run_lengths, run_lengths)
    assert heard.num_settled >= len(units) - 12


@pytest.mark.parametrize(("left", "look_ahead"), [(0.5, 0.0), (0.5, 0.02)])
def test_a_look_ahead_below_the_reach_of_the_encoder_changes_units(speech, split, left: float, look_ahead: float):
    encoder = LocalEncoder(is_whisper=False)
    nearest = nearest_of(encoder, speech)
    stream = WindowedStream(encoder, nearest, window(left, look_ahead))
    for piece in split(speech, 1000):
        stream.add(piece)
        heard = stream.heard()
    assert not np.array_equal(expand_all(heard), nearest(encoder.frames([speech])[0]))


def test_first_heard_at_the_end_gives_the_units_of_the_whole(speech, split, encoder):
    nearest = nearest_of(encoder, speech)
    expected = nearest(encoder.frames([speech])[0])
    stream = WindowedStream(encoder, nearest, window(0.5, 0.1))
    for piece in split(speech, 160):
        stream.add(piece)
    assert np.array_equal(expand_all(stream.heard()), expected)


def test_number_of_frames_is_that_of_the_whole_and_settled_units_stay(speech, split, encoder):
    nearest = nearest_of(encoder, speech)
    stream, num_samples, before = WindowedStream(encoder, nearest, window(1.0, 0.3)), 0, np.zeros(0, np.int64)
    for piece in split(speech, 7777):
        stream.add(piece)
        num_samples += len(piece)
        heard = stream.heard()
        assert heard.run_lengths.sum() == len(encoder.frames([speech[:num_samples]])[0])
        settled = np.stack([heard.units, heard.run_lengths])[:, : heard.num_settled]
        assert np.array_equal(settled[:, : before.shape[-1]], before if before.ndim == 2 else settled[:, :0])
        before = settled
    assert before.shape[1] > 10


def test_a_window_that_holds_all_gives_the_units_of_the_whole_but_for_the_look_ahead(speech, encoder):
    """The second call sees the whole again: only what the first one settled may differ."""
    nearest = nearest_of(encoder, speech)
    stream = WindowedStream(encoder, nearest, window(24.0, 0.5))
    stream.add(speech[:24_000])
    first = expand_all(stream.heard())
    num_settled = len(first) - 25
    stream.add(speech[24_000:])
    second = expand_all(stream.heard())
    assert np.array_equal(second[:num_settled], first[:num_settled])
    assert np.array_equal(second[num_settled:], nearest(encoder.frames([speech])[0])[num_settled:])


def test_what_is_kept_and_encoded_is_bounded_by_the_window(speech, split):
    encoder = LocalEncoder(is_whisper=False)
    nearest = nearest_of(encoder, speech)
    stream, encoder.num_samples = WindowedStream(encoder, nearest, window(0.5, 0.2)), []
    for piece in split(np.tile(speech, 5), 1600):
        stream.add(piece)
        stream.heard()
        assert len(stream._samples) <= 16_000 * 0.7 + 800
    assert max(encoder.num_samples) <= 16_000 * 0.7 + 1600 + 800


def test_nothing_new_is_not_encoded_again(speech):
    encoder = LocalEncoder(is_whisper=False)
    stream = WindowedStream(encoder, nearest_of(encoder, speech), window(0.5, 0.2))
    stream.add(speech[:8000])
    first, encoder.num_samples = stream.heard(), []
    stream.add(speech[:0])
    assert np.array_equal(stream.heard().units, first.units)
    assert encoder.num_samples == []


def test_frames_that_are_not_finite_are_an_error(speech):
    encoder = LocalEncoder(is_whisper=False)
    stream = WindowedStream(encoder, nearest_of(encoder, speech), EncoderWindow())
    stream.add(np.full(1000, np.nan, dtype=np.float32))
    with pytest.raises(ExtractorError, match="gave NaN or infinite frames"):
        stream.heard()


@pytest.mark.parametrize("is_whisper", [False, True], ids=["wav2vec2", "whisper"])
@pytest.mark.parametrize("left", [0.5, 24.0])
def test_more_new_sound_than_whisper_takes_is_encoded_step_by_step(speech, is_whisper: bool, left: float):
    encoder = LocalEncoder(is_whisper)
    nearest, long = nearest_of(encoder, speech), np.tile(speech, 17)[: 65 * 16_000 + 77]
    encoder.num_samples.clear()
    stream = WindowedStream(encoder, nearest, window(left, 4.0))
    stream.add(long)
    heard = stream.heard()
    assert max(encoder.num_samples) == 30 * 16_000 and len(encoder.num_samples) > 2
    np.testing.assert_array_equal(expand_all(heard), nearest(encoder.frames([long])[0]))
