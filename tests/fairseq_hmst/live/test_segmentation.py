"""Segments of a stream end at its pauses, wherever the pieces of sound end."""

import numpy as np
import pytest
from prompt_models import PROMPTS

from fairseq_hmst.live.segmentation import SegmentFinder
from fairseq_hmst.live.sound import Sound
from preprocess.speech.audio import load_audio

RATE = 16_000
RNG = np.random.default_rng(0)


def speech(seconds, loudness=0.1):
    return RNG.normal(0, loudness, round(seconds * RATE)).astype(np.float32)


def silence(seconds):
    return np.zeros(round(seconds * RATE), np.float32)


def find(samples, size, pause=0.5):
    finder = SegmentFinder(pause)
    segments = [segment for start in range(0, len(samples), size) for segment in finder.add(samples[start : start + size])]
    return segments, finder


def seconds(segments):
    return [(round(begin / RATE, 2), round(end / RATE, 2)) for begin, end in segments]


@pytest.mark.parametrize("size", [100, 160, 8000, 10**7])
def test_a_segment_is_speech_with_some_of_the_silence_around_it(size):
    stream = np.concatenate([silence(1), speech(2), silence(0.3), speech(1), silence(1), speech(0.5), silence(0.2)])
    segments, finder = find(stream, size)
    assert seconds(segments) == [(0.85, 4.45)]  # a pause of 0.3 s ends nothing
    assert seconds([(finder.begin, finder.end)]) == [(5.15, 5.95)]


def test_a_shorter_pause_ends_segments_sooner_and_they_do_not_meet():
    stream = np.concatenate([speech(1), silence(0.2), speech(1), silence(1)])
    assert seconds(find(stream, 1600, pause=0.2)[0]) == [(0, 1.1), (1.1, 2.3)]


@pytest.mark.parametrize("noise", [0.0, 0.0005, 0.003])
def test_silence_noise_of_a_room_and_clicks_are_no_speech(noise):
    stream = RNG.normal(0, 1, 60 * RATE).astype(np.float32) * np.float32(noise)
    stream[20 * RATE : 20 * RATE + 300] = 0.5
    segments, finder = find(stream, 8000)
    assert segments == [] and finder.begin is None


@pytest.mark.parametrize("noise", [0.0005, 0.003])
def test_speech_is_found_in_the_noise_of_a_room(noise):
    stream = np.concatenate([silence(3), speech(2), silence(3), speech(2), silence(3)])
    stream += RNG.normal(0, noise, len(stream)).astype(np.float32)
    found = seconds(find(stream, 8000)[0])
    np.testing.assert_allclose(found, [(2.85, 5.15), (7.85, 10.15)], atol=0.03)


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.03])
def test_recorded_speech_is_found_however_quiet(gain):
    sound = load_audio(PROMPTS[0]) * np.float32(gain)
    segments = find(np.concatenate([silence(1), sound, silence(1)]), 8000)[0]
    assert sum(end - begin for begin, end in segments) > 0.7 * len(sound)


def test_a_cut_ends_a_segment_there_and_begins_the_next():
    finder = find(speech(5), 8000)[1]
    finder.cut(3 * RATE)
    assert (finder.begin, finder.end) == (3 * RATE, 5 * RATE)
    (segment,) = finder.add(silence(1))
    assert seconds([segment]) == [(3, 5.15)]


def test_a_cut_behind_all_speech_leaves_nobody_speaking():
    stream = np.concatenate([speech(2), silence(0.3)])
    finder = find(stream, 8000)[1]
    finder.cut(finder.end)
    assert finder.begin is None
    assert finder.add(silence(1)) == []


def test_an_hour_of_silence_leaves_nothing_behind():
    finder = SegmentFinder(0.5)
    for _ in range(360):
        assert finder.add(silence(10)) == []
    assert finder.begin is None and not finder._speech and not finder._threshold._levels


def test_sound_is_kept_as_long_as_it_is_needed():
    sound, whole = Sound(), speech(3)
    for start in range(0, len(whole), 1000):
        sound.add(whole[start : start + 1000])
    sound.drop_before(RATE)
    sound.drop_before(0)
    np.testing.assert_array_equal(sound.between(RATE, 2 * RATE), whole[RATE : 2 * RATE])
    assert sound.end == len(whole) and sound._samples.nbytes == 4 * 2 * RATE


def test_the_quietest_place_is_found_within_its_bounds():
    sound = Sound()
    sound.add(np.concatenate([speech(1), silence(0.2), speech(2), silence(0.2), speech(1)]))
    assert sound.quietest(0, 2 * RATE) == pytest.approx(1.1 * RATE, abs=0.06 * RATE)
    assert sound.quietest(2 * RATE, 4 * RATE) == pytest.approx(3.3 * RATE, abs=0.06 * RATE)
    assert sound.quietest(4 * RATE, 4 * RATE) == 4 * RATE
