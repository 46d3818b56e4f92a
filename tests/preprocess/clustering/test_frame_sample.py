from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from preprocess.clustering import frame_sample, utterance_sample
from preprocess.clustering.frame_sample import SampleOptions, draw, sample_frames
from preprocess.files.cards.stage_cards import ExtractorDescription, SampleDescription
from preprocess.files.faults import FaultOptions
from preprocess.files.manifest import Utterance, write_manifest
from preprocess.speech import frames
from preprocess.speech import shards as shards_module
from preprocess.speech.audio import LengthLimits, Sound
from preprocess.speech.shards import AudioOptions, Shards

CLUSTERS = 4
NUM_FRAMES = 50  # of each utterance, of one second
Sample = Callable[..., np.ndarray]


class NumberingExtractor:
    """Utterance i gives the frames 1000 i, 1000 i + 1, ..."""

    name, width = "numbering", 1

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        return [1000 * waveform[:1, None] + np.arange(NUM_FRAMES, dtype=np.float32)[:, None] for waveform in waveforms]


@pytest.fixture
def described_as() -> list[SampleDescription]:
    """Of the samples that `sample` has made."""
    return []


@pytest.fixture
def encoded() -> list[int]:
    """Numbers of the utterances that were decoded for `sample`."""
    return []


@pytest.fixture
def sample(tmp_path: Path, monkeypatch, described_as, encoded) -> Sample:
    """A function that samples `count` utterances; the waveform of utterance i holds nothing but i."""
    monkeypatch.setattr(frame_sample, "load_described", lambda description, device: NumberingExtractor())

    def load_sound(path: Path, *_: object) -> Sound:
        encoded.append(int(path.stem))
        return Sound(np.full(16_000, encoded[-1], np.float32))

    monkeypatch.setattr(frames, "load_sound", load_sound)

    def sample(portion: float, max_frames: int = 10**6, seed: int = 0, count: int = 20, reverse: bool = False):
        rows = [Utterance(f"u{i}", tmp_path / f"{i}.wav", 0.0, 1.0, "en", "fr", "", "x", "") for i in range(count)]
        for row in rows:
            row.audio.touch()
        write_manifest(tmp_path / "train.tsv", rows[::-1] if reverse else rows)
        options = AudioOptions(faults=FaultOptions(max_errors=0.0))
        shards = Shards(tmp_path / "train.tsv", tmp_path / "out", options, LengthLimits())
        description = ExtractorDescription("numbers", "numbers", 0, "", frame_shift_seconds=0.02, width=1)
        frames, described = sample_frames(shards, description, CLUSTERS, SampleOptions(portion, max_frames, seed))
        described_as.append(described)
        return frames[:, 0]

    return sample


def test_portion_one_keeps_every_frame_in_the_order_of_the_manifest(sample: Sample):
    assert sample(1.0, count=3).tolist() == [1000 * u + t for u in range(3) for t in range(NUM_FRAMES)]


def test_portion_is_the_expected_part_and_each_place_is_equally_likely():
    draws = np.array([draw(f"u{index}", 50, seed=0) < 0.3 for index in range(2000)])
    assert abs(draws.sum() - 30_000) < 5 * np.sqrt(100_000 * 0.3 * 0.7)
    assert np.abs(draws.sum(axis=0) - 600).max() < 5 * np.sqrt(2000 * 0.3 * 0.7)


def test_the_same_seed_repeats_and_another_differs(sample: Sample):
    first, again, other = (sample(0.3, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_sample_does_not_depend_on_shards_or_order(sample: Sample, monkeypatch):
    whole, cut = sample(0.3), sample(1.0, 100)
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 3.0)
    assert np.array_equal(sample(0.3), whole)
    assert np.array_equal(sample(1.0, 100), cut)
    assert set(sample(1.0, 100, reverse=True)) == set(cut)


def test_max_frames_keeps_the_lowest_draws_and_says_so(sample: Sample, caplog):
    assert len(sample(0.5, 1000)) < 1000
    assert caplog.text == ""
    found = sample(0.5, 300)
    assert "the sample was cut to 300 frames by --max-frames" in caplog.text
    draws = {1000 * i + t: value for i in range(20) for t, value in enumerate(draw(f"u{i}", NUM_FRAMES, 0))}
    assert set(found) == set(sorted(draws, key=draws.__getitem__)[:300])


def test_results_of_shards_hold_not_much_more_than_max_frames(sample: Sample, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 10.0)
    sample(1.0, 2000, count=400)  # of 20 000
    held = [len(np.load(path)["draws"]) for path in (tmp_path / ".out.work").glob("*.npz")]
    assert len(held) == 40
    assert 2000 <= sum(held) < 2800


@pytest.fixture
def small_limits(monkeypatch) -> None:
    """A portion that has 10 utterances and 100 frames a cluster is enough."""
    monkeypatch.setattr(utterance_sample, "MIN_UTTERANCES", 10)
    monkeypatch.setattr(utterance_sample, "MIN_FRAMES", 100)


def test_of_a_large_corpus_a_portion_of_the_utterances_is_encoded(sample: Sample, encoded, described_as, small_limits):
    found = sample(0.1, count=200)
    assert len(encoded) == len(set(encoded)) == 20
    assert found.tolist() == [1000 * u + t for u in sorted(encoded) for t in range(NUM_FRAMES)]
    assert described_as == [SampleDescription("utterances", 20, 200, 20 * NUM_FRAMES)]


@pytest.mark.parametrize(("name", "value"), [("MIN_UTTERANCES", 21), ("MIN_FRAMES", 251)])
def test_of_a_corpus_that_is_too_small_for_that_all_is_encoded(
    sample: Sample, encoded, described_as, small_limits, monkeypatch, name: str, value: int
):
    monkeypatch.setattr(utterance_sample, name, value)  # 20 utterances are drawn: 250 frames for each of 4 clusters
    found = sample(0.1, count=200)
    assert len(encoded) == 200
    assert len(found) == pytest.approx(1000, abs=150)
    assert described_as == [SampleDescription("frames", 200, 200, 200 * NUM_FRAMES)]


def test_the_whole_corpus_is_never_called_drawn(sample: Sample, encoded, described_as, small_limits):
    assert len(sample(1.0, count=20)) == 20 * NUM_FRAMES
    assert described_as == [SampleDescription("frames", 20, 20, 20 * NUM_FRAMES)]


def test_max_frames_cuts_the_frames_of_drawn_utterances(sample: Sample, encoded, described_as, small_limits, caplog):
    found = sample(0.1, 300, count=200)
    assert (len(found), len(encoded)) == (300, 20)
    assert "the sample was cut to 300 frames by --max-frames" in caplog.text
    assert described_as == [SampleDescription("utterances", 20, 200, 20 * NUM_FRAMES)]


def test_drawn_utterances_do_not_depend_on_shards_or_order(sample: Sample, encoded, small_limits, monkeypatch):
    whole = sample(0.1, count=200)
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 3.0)
    assert np.array_equal(sample(0.1, count=200), whole)
    assert set(sample(0.1, count=200, reverse=True)) == set(whole)
    assert set(sample(0.1, count=200, seed=1)) != set(whole)
