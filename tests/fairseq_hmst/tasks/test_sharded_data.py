"""Several data-bins of one vocabulary, `a:b`: each epoch trains on the next."""

import shutil
from dataclasses import replace

import pytest
from cards import edit_card
from toy import build_task, make_toy_data_bin
from training import train

from fairseq_hmst.data.data_bin import DataBinError
from preprocess.files.cards.data_bin_card import DataBinCard
from preprocess.files.cards.named_files import FileEntry
from preprocess.files.cards.stage_cards import ExtractorDescription, KmeansCard
from preprocess.files.languages import LanguageSymbolsEntry


def kmeans_card(centroids_hash):
    extractor = ExtractorDescription("mfcc", "mfcc", 0, "", frame_shift_seconds=0.02, width=39)
    numbers = {"clusters": 8, "seed": 0, "portion": 1.0, "frames": 100, "skipped": 0, "inertia_per_frame": 1.0}
    return KmeansCard(extractor=extractor, **numbers, hashes={"centroids.npz": FileEntry(0, centroids_hash)})


@pytest.fixture(scope="module")
def halves(toy_data_bin, tmp_path_factory):
    """Two data-bins of the toy's vocabulary; the second trains on what is the first's validation set."""
    other = tmp_path_factory.mktemp("shard") / "other"
    shutil.copytree(toy_data_bin, other)
    for path in list(other.glob("train.*")):
        path.unlink()
    for path in list(other.glob("valid.*.bin")) + list(other.glob("valid.*.idx")):
        shutil.copy(path, other / path.name.replace("valid", "train"))
    edit_card(other / "card.json", remeasure=True)
    return toy_data_bin, other


def test_each_epoch_trains_on_the_next_shard_and_validation_stays_the_first(halves):
    task = build_task(":".join(map(str, halves)))
    assert task.has_sharded_data("train")
    sizes = {}
    for epoch in (1, 2, 3):
        task.load_dataset("train", epoch=epoch)
        sizes[epoch] = len(task.dataset("train"))
    alone = [build_task(folder) for folder in halves]
    assert sizes == {1: len(alone[0].dataset("train")), 2: len(alone[1].dataset("train")), 3: sizes[1]}
    assert sizes[1] != sizes[2]
    task.load_dataset("valid", epoch=2)
    assert len(task.dataset("valid")) == len(alone[0].dataset("valid"))


def test_a_training_goes_through_the_shards_in_turn(halves, tmp_path):
    updates = train(":".join(map(str, halves)), tmp_path, "--max-epoch", 3, "--log-interval", 1)
    in_epoch = [sum(log["epoch"] == epoch for log in updates) for epoch in (1, 2, 3)]
    assert in_epoch[0] == in_epoch[2] > in_epoch[1] > 0


def test_shards_of_another_vocabulary_are_refused(halves, tmp_path):
    other = make_toy_data_bin(tmp_path, targets=("fr", "de"))
    with pytest.raises(DataBinError, match=r"dict.src.txt differs from .* need one vocabulary"):
        build_task(f"{halves[0]}:{other}")


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("kmeans", [kmeans_card("a"), kmeans_card("b")], "different k-means"),
        ("language_symbols", [None, LanguageSymbolsEntry("target_first", "first_output", {})], "differ in their lan"),
    ],
)
def test_shards_of_other_units_or_languages_are_refused(toy_data_bin, tmp_path, key, values, message):
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder, value in zip(folders, values, strict=True):
        shutil.copytree(toy_data_bin, folder)
        replace(DataBinCard.read(folder), **{key: value}).write(folder)
    if key == "language_symbols":  # a card that says so must be true to its dictionaries
        from fairseq_hmst.data.data_bin import DataBin

        one, other = DataBin(folders[0]), DataBin(folders[0])
        other.card = replace(other.card, **{key: values[1]})
        with pytest.raises(DataBinError, match=message):
            one.check_same_vocabulary(other)
        return
    with pytest.raises(DataBinError, match=message):
        build_task(":".join(map(str, folders)))
