"""Truth: numpy on the manifests."""

from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from preprocess.files.manifest import read_manifest
from preprocess.report.figures.stream_figures import NUM_BINS, count_seconds

SPLITS = {"train": "train", "dev": "valid", "test": "test", "test_far": "test_far"}


def spoken(corpus: Path, split: str):
    return [row for row in read_manifest(corpus / "manifest" / f"{split}.tsv") if row.audio is not None]


def test_seconds_are_those_of_the_manifest(faulty: Path, faulty_figures: dict[str, Any]):
    for split, name in SPLITS.items():
        seconds = np.array([row.duration for row in spoken(faulty, split)])
        found = faulty_figures["seconds"][name]
        assert (found["known"], found["unknown"]) == (len(seconds), 0)
        assert found["total"] == pytest.approx(seconds.sum())
        lengths = found["lengths"]
        assert (lengths["min"], lengths["max"], lengths["median"]) == (seconds.min(), seconds.max(), np.median(seconds))


def test_speakers_are_counted_as_in_the_manifest(faulty: Path, faulty_figures: dict[str, Any]):
    assert list(faulty_figures["speakers"]) == ["train", "valid"]  # the tests name none
    earlier: set[str] = set()
    for split in ("train", "dev"):
        examples = Counter(row.speaker for row in spoken(faulty, split))
        seconds: dict[str, float] = defaultdict(float)
        for row in spoken(faulty, split):
            seconds[row.speaker] += row.duration
        found = faulty_figures["speakers"][SPLITS[split]]
        assert (found["speakers"], found["unknown"]) == (len(examples), 0)
        assert found["in_earlier_splits"] == len(earlier & set(examples))
        assert (found["examples"]["min"], found["examples"]["max"]) == (min(examples.values()), max(examples.values()))
        assert found["seconds"]["max"] == pytest.approx(max(seconds.values()))
        by_number = Counter(examples.values())
        assert found["histogram"]["counts"] == [by_number[number] for number in range(max(by_number) + 1)]
        earlier |= set(examples)
    assert found["in_earlier_splits"] == 1


@pytest.mark.parametrize(
    "seconds", [[1.5] * 4, [0.3, 0.6, 0.7], [0.29, 0.07, 0.35], list(np.random.default_rng(0).gamma(4, 1.5, 5000))]
)
def test_seconds_fall_into_few_bins_of_a_round_width(seconds: list[float]):
    found = count_seconds(np.array(seconds))
    microseconds = np.round(np.array(seconds) * 1e6)
    edges = np.round(np.arange(len(found.counts) + 1) * found.width * 1e6)
    inside = [int(((microseconds >= low) & (microseconds < high)).sum()) for low, high in pairwise(edges)]
    assert found.counts == inside
    assert sum(inside) + found.longer == len(seconds)
    assert len(found.counts) <= NUM_BINS and found.longer <= len(seconds) / 100
    assert f"{found.width:.0e}"[0] in "125"
