import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cards import edit_card

from preprocess.errors import CardError, MismatchError
from preprocess.files.cards.named_files import FileEntry, hash_files
from preprocess.files.cards.stage_cards import ExtractorDescription, KmeansCard, SubwordsCard, UnitsCard

EXTRACTOR = ExtractorDescription("mfcc", "mfcc", 0, "abc", frame_shift_seconds=0.02, width=39)
KMEANS = KmeansCard(
    extractor=EXTRACTOR, clusters=8, seed=1, portion=0.5, frames=100, skipped=0, inertia_per_frame=2.5, hashes={}
)

NAMES_OUTSIDE = ["../secret", "/etc/hosts", "a/../../b", "", ".", "a//b", "a/", "..\\b", "a\0b", "./a"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file and the card that names it."""
    (tmp_path / "centroids.npz").write_bytes(b"12")
    replace(KMEANS, hashes=hash_files(tmp_path, ["centroids.npz"])).write(tmp_path)
    return tmp_path


def test_a_card_comes_back_as_it_was_written(tmp_path: Path):
    (tmp_path / "a.units").write_text("a\t1\n")
    card = UnitsCard(
        kmeans=KMEANS,
        kmeans_folder="../kmeans",
        skipped=0,
        utterances=1,
        seconds=1.5,
        frames=75,
        deduplicated_units=30,
        run_lengths={1: 10, 2: 20},
        hashes=hash_files(tmp_path, ["a.units"]),
    ).sealed()
    card.write_file(tmp_path / "a.card.json")
    assert UnitsCard.read_file(tmp_path / "a.card.json") == card
    content = json.loads((tmp_path / "a.card.json").read_text())
    assert content["run_lengths"] == {"1": 10, "2": 20}
    assert content["kmeans"]["stage"] == "kmeans"


def test_hashes_are_compared_with_the_files(folder: Path):
    KmeansCard.read(folder).check_hashes(folder)
    (folder / "centroids.npz").write_bytes(b"13")
    with pytest.raises(MismatchError, match=r"centroids.npz: has changed .*sha256 .*found .*; make the output again"):
        KmeansCard.read(folder).check_hashes(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"format_version": ...},
            r"expected format_version 2, found none: another version .*; make it again by",
        ),
        ({"format_version": 7}, "expected format_version 2, found 7"),
        ({"clusters": "8"}, r"not a card of this form: Expected `int`, got `str` - at `\$.clusters`"),
        ({"extractor": {"name": "mfcc"}}, r"missing required field `source` - at `\$.extractor`"),
        ({"hashes": {}}, "does not name centroids.npz; make it again by"),
        ({"stage": "units"}, "expected the card of stage 'kmeans', found 'units'"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(folder: Path, changes: dict[str, Any], message: str):
    edit_card(folder / "card.json", **changes)
    with pytest.raises(CardError, match=message):
        KmeansCard.read(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b"[" * 100_000, b"\x00", b'{"stage": "\xff"}'])
def test_what_is_no_card_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(CardError, match=r"card.json: (not valid JSON|expected the card of stage 'subwords', found)"):
        SubwordsCard.read(tmp_path)


def test_a_folder_without_card_is_no_output(tmp_path: Path):
    with pytest.raises(CardError, match="is not a finished output of the stage 'kmeans': it has no card.json"):
        KmeansCard.read(tmp_path)


def test_sizes_are_compared_wherever_a_card_is_read(folder: Path):
    (folder / "centroids.npz").write_bytes(b"1")
    with pytest.raises(MismatchError, match=r"centroids.npz: has changed .*: its card says 2 bytes, found 1; make the"):
        KmeansCard.read(folder)
    (folder / "centroids.npz").unlink()
    with pytest.raises(MismatchError, match="centroids.npz: is missing"):
        KmeansCard.read(folder)
    (folder / "centroids.npz").mkdir()
    with pytest.raises(MismatchError, match="centroids.npz: is missing"):
        KmeansCard.read(folder)


@pytest.mark.parametrize("name", NAMES_OUTSIDE)
def test_a_name_that_leads_out_of_the_folder_is_refused(folder: Path, name: str):
    card = json.loads((folder / "card.json").read_text())
    edit_card(folder / "card.json", hashes=card["hashes"] | {name: {"size": 2, "sha256": "0"}})
    with pytest.raises(CardError, match=f"names a file outside its folder: {re.escape(repr(name))}; do not use it"):
        KmeansCard.read(folder)


def test_names_in_a_card_within_a_card_are_checked_too(tmp_path: Path):
    (tmp_path / "a.units").write_text("a\t1\n")
    inner = replace(KMEANS, hashes={"../secret": FileEntry(0, "0")})
    hashes = hash_files(tmp_path, ["a.units"])
    counts = dict.fromkeys(("skipped", "utterances", "frames", "deduplicated_units"), 0)
    card = UnitsCard(kmeans=inner, kmeans_folder="k", seconds=0.0, run_lengths={}, hashes=hashes, **counts)
    card.write_file(tmp_path / "a.card.json")
    with pytest.raises(CardError, match="names a file outside its folder: '../secret'"):
        UnitsCard.read_file(tmp_path / "a.card.json")


def test_the_card_of_other_units_is_refused(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.units").write_text("a\t1\n")
    counts = dict.fromkeys(("skipped", "utterances", "frames", "deduplicated_units"), 0)
    hashes = hash_files(tmp_path, ["a.units"])
    card = UnitsCard(kmeans=KMEANS, kmeans_folder="k", seconds=0.0, run_lengths={}, hashes=hashes, **counts)
    card.write_file(tmp_path / "b.card.json")
    with pytest.raises(CardError, match="b.card.json: does not name b.units"):
        UnitsCard.read_file(tmp_path / "b.card.json")


def test_a_link_out_of_the_folder_is_refused_and_one_within_it_is_not(folder: Path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "centroids.npz"
    (folder / "centroids.npz").replace(outside)
    (folder / "centroids.npz").symlink_to(outside)
    with pytest.raises(CardError, match=rf"centroids.npz: is a link to {outside}, outside the folder of the card"):
        KmeansCard.read(folder)
    (folder / "centroids.npz").unlink()
    outside.replace(folder / "kept")
    (folder / "centroids.npz").symlink_to("kept")
    link = outside.parent / "link"
    link.symlink_to(folder)
    for path in (folder, link):
        KmeansCard.read(path).check_hashes(path)
    (folder / "kept").unlink()
    (folder / "kept").symlink_to("centroids.npz")  # to itself, round about
    with pytest.raises(MismatchError, match="centroids.npz: is missing"):
        KmeansCard.read(folder)


@pytest.mark.parametrize(
    "edit", [{"clusters": 9}, {"more": 1}, {"skipped": ...}, {"card_hash": ...}, {"card_hash": None}, {"portion": 1}]
)
def test_a_card_that_was_edited_is_refused(folder: Path, edit: dict[str, Any]):
    path = folder / "card.json"
    card = json.loads(path.read_text()) | edit
    path.write_text(json.dumps({key: value for key, value in card.items() if value is not ...}))
    with pytest.raises(MismatchError, match=r"card.json: has changed since it was written: its own hash is another"):
        KmeansCard.read(folder)


def test_white_space_and_the_order_of_entries_mean_nothing(folder: Path):
    path = folder / "card.json"
    expected = KmeansCard.read(folder)
    path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items()))))
    assert KmeansCard.read(folder) == expected
