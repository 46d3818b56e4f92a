"""Where long recordings are cut, on energies whose pauses are known."""

import numpy as np
import pytest

from fairseq_hmst.translate.recordings.segmentation import KEPT_SILENCE, MIN_PAUSE, find_segments

SPEECH, BACKGROUND = 0.1, 0.0005  # root mean squares: -20 and -66 dB


def planted(*seconds: float, background: float = BACKGROUND, seed: int = 0) -> np.ndarray:
    """Energies of speech and pauses in turn, each of so many seconds, all a little uneven."""
    levels = [SPEECH, background]
    energies = np.concatenate([np.full(round(100 * length), levels[turn % 2]) for turn, length in enumerate(seconds)])
    return energies * np.random.default_rng(seed).uniform(0.7, 1.4, len(energies))


def random_energies(seed: int) -> np.ndarray:
    """A minute or so of anything: loudness that wanders over 60 dB."""
    random = np.random.default_rng(seed)
    walk = np.cumsum(random.standard_normal(random.integers(1, 8000)))
    return 10 ** (np.clip(walk % 60, 0, 60) / 20 - 4)


def test_speech_is_cut_out_at_its_pauses_with_a_little_silence_kept():
    segments = find_segments(planted(3, 2, 4, 1.5, 2), max_seconds=5)
    expected = [(0, 3 + KEPT_SILENCE), (5 - KEPT_SILENCE, 9 + KEPT_SILENCE), (10.5 - KEPT_SILENCE, 12.5)]
    np.testing.assert_allclose(segments, expected, atol=0.02)


def test_short_pauses_stay_inside_a_segment_and_half_a_short_pause_is_kept_where_one_is_cut():
    assert find_segments(planted(3, 0.25, 3), max_seconds=20) == [(0.0, 6.25)]
    np.testing.assert_allclose(find_segments(planted(3, 0.25, 3), max_seconds=5), [(0, 3.12), (3.12, 6.25)], atol=0.02)


def test_the_longest_pause_parts_first():
    # all of 13.2 s is too long; each half at the longer pause fits, though the shorter one is nearer the middle
    segments = find_segments(planted(4, 0.8, 3, 0.4, 5), max_seconds=9)
    np.testing.assert_allclose([start for start, _ in segments], [0, 4.8 - KEPT_SILENCE], atol=0.02)


def test_a_pause_of_a_second_parts_though_both_sides_would_fit_together():
    assert len(find_segments(planted(2, 1.1, 2), max_seconds=20)) == 2


def test_speech_without_a_pause_is_cut_at_its_quietest_point():
    energies = planted(25)
    energies[1300:1310] *= 0.4  # 8 dB: no pause, and shorter than one
    segments = find_segments(energies, max_seconds=20)
    assert len(segments) == 2
    assert 13.0 <= segments[0][1] == segments[1][0] <= 13.1


@pytest.mark.parametrize("gain", [0.05, 5.0])
def test_loudness_of_the_recording_does_not_matter(gain):
    energies = planted(3, 0.6, 2, 1.2, 4, 0.3, 3)
    assert find_segments(gain * energies, 6) == find_segments(energies, 6)


@pytest.mark.parametrize("background", [0.00001, 0.003, 0.02])
def test_pauses_are_found_in_quiet_and_in_noise(background):
    segments = find_segments(planted(3, 0.7, 3, 0.7, 3, background=background), max_seconds=4)
    np.testing.assert_allclose([start for start, _ in segments], [0, 3.7 - 0.15, 7.4 - 0.15], atol=0.02)


@pytest.mark.parametrize("seed", range(40))
def test_segments_are_in_order_inside_the_recording_and_none_is_too_long(seed):
    energies = random_energies(seed)
    max_seconds = 1 + seed % 20
    segments = find_segments(energies, max_seconds)
    assert segments
    bounds = np.array(segments)
    assert (bounds[:, 0] < bounds[:, 1]).all()
    assert (bounds[1:, 0] >= bounds[:-1, 1]).all()
    assert bounds.min() >= 0
    assert bounds.max() <= len(energies) / 100 + 1e-9
    assert (bounds[:, 1] - bounds[:, 0]).max() <= max_seconds + 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_all_planted_speech_lies_in_some_segment(seed):
    random = np.random.default_rng(seed)
    lengths = np.round(random.uniform(MIN_PAUSE + 0.05, 3, size=41), 2)
    is_covered = np.zeros(round(100 * lengths.sum()) + 1, dtype=bool)
    for start, end in find_segments(planted(*lengths, seed=seed), max_seconds=6):
        is_covered[round(100 * start) : round(100 * end)] = True
    bounds = np.round(100 * np.cumsum([0, *lengths])).astype(int)
    speech = zip(bounds[0:-1:2], bounds[1::2], strict=True)
    assert all(is_covered[start:end].all() for start, end in speech)


def test_silence_and_clicks_have_no_segment():
    assert find_segments(np.zeros(3000), max_seconds=20) == []
    assert find_segments(np.full(3000, 1e-4), max_seconds=20) == []
    assert find_segments(np.zeros(0), max_seconds=20) == []
    click = planted(3, 3, 0.03, 3, 3)
    assert len(find_segments(click, max_seconds=20)) == 2


def test_even_noise_is_kept_since_loudness_cannot_tell():
    segments = find_segments(np.full(4500, 0.05), max_seconds=20)
    assert segments[0][0] == 0
    assert segments[-1][1] == 45


def test_a_bound_below_a_second_is_refused():
    with pytest.raises(ValueError, match="at least 1 s, got 0.5"):
        find_segments(planted(3), max_seconds=0.5)
