import numpy as np

from preprocess.frame_sample import FrameSample


def fill(portion: float, max_frames: int, seed: int, order: list[int], length: int = 50) -> FrameSample:
    """Utterance i holds the frames 1000 i, 1000 i + 1, ..."""
    sample = FrameSample(portion, max_frames, seed)
    for utterance in order:
        sample.add(f"u{utterance}", np.arange(1000 * utterance, 1000 * utterance + length)[:, None].astype(np.float32))
    return sample


def test_portion_one_keeps_every_frame_in_order():
    sample = fill(1.0, 10_000, 0, [0, 1, 2])
    assert sample.frames()[:, 0].tolist() == [1000 * u + t for u in range(3) for t in range(50)]
    assert not sample.is_cut


def test_portion_is_the_expected_part_and_each_place_is_equally_likely():
    frames = fill(0.3, 10**6, 0, list(range(2000))).frames()[:, 0]
    places = np.bincount(frames.astype(int) % 1000, minlength=50)
    assert abs(len(frames) - 30_000) < 5 * np.sqrt(100_000 * 0.3 * 0.7)
    assert np.abs(places - 600).max() < 5 * np.sqrt(2000 * 0.3 * 0.7)


def test_the_same_seed_repeats_and_another_differs():
    first, again, other = (fill(0.3, 10**6, seed, list(range(20))).frames() for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_max_frames_bounds_the_sample_whatever_the_order_of_reading():
    order = list(range(200))
    forward, backward = fill(0.5, 300, 0, order), fill(0.5, 300, 0, order[::-1])
    assert forward.frames().shape == (300, 1)
    assert forward.is_cut
    assert set(forward.frames()[:, 0]) == set(backward.frames()[:, 0])
    assert set(forward.frames()[:, 0]) <= set(fill(0.5, 10**6, 0, order).frames()[:, 0])


def test_an_empty_sample_has_no_frames():
    assert len(FrameSample(0.5, 10, 0).frames()) == 0
