"""Lengths of speech in the card of a data-bin: from durations, or else from units."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cards import edit_card

from preprocess.data_bin.lengths import long_seconds, total_seconds
from preprocess.files.cards.data_bin_card import DataBinCard
from preprocess.files.cards.stage_cards import ExtractorDescription, KmeansCard, UnitsCard
from preprocess.files.manifest import Utterance
from preprocess.files.splits import Split

LENGTHS = np.random.default_rng(0).uniform(1, 9, 60).round(2)
KMEANS = KmeansCard(
    extractor=ExtractorDescription("mfcc", "mfcc", 0, "abc", frame_shift_seconds=0.02, width=39),
    clusters=8,
    seed=1,
    portion=0.5,
    frames=100,
    skipped=0,
    inertia_per_frame=2.5,
    hashes={},
)


def make_split(lengths: np.ndarray, known: int, has_card: bool = True) -> Split:
    """A split of 10 deduplicated units a second, the first `known` of whose rows have a duration."""
    rows = [
        Utterance(f"u{n}", Path("a.wav"), 0.0, float(length) if n < known else None, "en", "fr", "", "x", "")
        for n, length in enumerate(lengths)
    ]
    rows.append(Utterance("text", None, 0.0, 99.0, "en", "fr", "y", "x", ""))
    units = {row.id: np.zeros(round(10 * length), np.uint16) for row, length in zip(rows, lengths, strict=False)}
    total = sum(map(len, units.values()))
    seconds = round(float(sum(lengths)), 3)
    totals = {"utterances": len(lengths), "seconds": seconds, "frames": 3 * total, "deduplicated_units": total}
    card = UnitsCard(kmeans=KMEANS, kmeans_folder="k", skipped=0, run_lengths={3: total}, hashes={}, **totals)
    return Split("train", Path("train.tsv"), rows, Path("train.units"), units, card if has_card else None)


@pytest.mark.parametrize("has_card", [True, False])
def test_nineteen_of_twenty_utterances_are_not_longer(has_card):
    found = long_seconds(make_split(LENGTHS, known=60, has_card=has_card))
    assert found == pytest.approx(np.percentile(LENGTHS, 95), abs=1e-3)
    assert np.mean(found >= LENGTHS) == pytest.approx(0.95)


@pytest.mark.parametrize("known", [0, 30])
def test_where_a_row_has_no_duration_its_units_tell_its_length(known):
    split = make_split(LENGTHS, known)
    assert long_seconds(split) == pytest.approx(np.percentile(LENGTHS, 95), rel=0.02)
    assert total_seconds(split) == pytest.approx(sum(LENGTHS))


def test_without_a_card_of_the_units_one_row_without_duration_makes_lengths_unknown():
    split = make_split(LENGTHS, known=59, has_card=False)
    assert (long_seconds(split), total_seconds(split)) == (None, None)
    assert long_seconds(replace(split, utterances=[])) is None


def test_the_card_of_a_data_bin_names_them_and_one_of_before_is_still_read(toy_data_bin, tmp_path):
    card = DataBinCard.read(toy_data_bin)
    content = json.loads((toy_data_bin / "card.json").read_text())
    assert card.long_training_seconds == content["counts"]["train"]["st"]["long_seconds"] > 0
    assert content["counts"]["train"]["mt"]["long_seconds"] is None
    for streams in content["counts"].values():
        for entry in streams.values():
            del entry["long_seconds"]
    copy = Path(shutil.copytree(toy_data_bin, tmp_path / "copy"))
    edit_card(copy / "card.json", counts=content["counts"])
    assert DataBinCard.read(copy).long_training_seconds is None
