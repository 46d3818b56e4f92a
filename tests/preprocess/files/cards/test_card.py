import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from preprocess.errors import CardError, MismatchError
from preprocess.files.cards.card import hash_files
from preprocess.files.cards.stage_cards import ExtractorDescription, KmeansCard, SubwordsCard, UnitsCard

EXTRACTOR = ExtractorDescription("mfcc", "mfcc", 0, "abc", frame_shift_seconds=0.02, width=39)
KMEANS = KmeansCard(
    extractor=EXTRACTOR, clusters=8, seed=1, portion=0.5, frames=100, skipped=0, inertia_per_frame=2.5, hashes={}
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file and the card that names it."""
    (tmp_path / "centroids.npz").write_bytes(b"12")
    replace(KMEANS, hashes=hash_files(tmp_path, ["centroids.npz"])).write(tmp_path)
    return tmp_path


def change(folder: Path, **changes: Any) -> None:
    path = folder / "card.json"
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))


def test_a_card_comes_back_as_it_was_written(tmp_path: Path):
    card = UnitsCard(
        kmeans=KMEANS,
        kmeans_folder="../kmeans",
        skipped=0,
        utterances=1,
        seconds=1.5,
        frames=75,
        deduplicated_units=30,
        run_lengths={1: 10, 2: 20},
        hashes={"a.units": "0"},
    )
    card.write_file(tmp_path / "a.card.json")
    assert UnitsCard.read_file(tmp_path / "a.card.json") == card
    content = json.loads((tmp_path / "a.card.json").read_text())
    assert content["run_lengths"] == {"1": 10, "2": 20}
    assert content["kmeans"]["stage"] == "kmeans"


def test_hashes_are_compared_with_the_files(folder: Path):
    KmeansCard.read(folder).check_hashes(folder)
    (folder / "centroids.npz").write_bytes(b"13")
    with pytest.raises(MismatchError, match=r"centroids.npz: has changed .*found .*; make the output again"):
        KmeansCard.read(folder).check_hashes(folder)
    (folder / "centroids.npz").unlink()
    with pytest.raises(MismatchError, match="centroids.npz: is missing"):
        KmeansCard.read(folder).check_hashes(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"format_version": ...},
            r"expected format_version 1, found none: another version .*; make it again by",
        ),
        ({"format_version": 7}, "expected format_version 1, found 7"),
        ({"clusters": "8"}, r"not a card of this form: Expected `int`, got `str` - at `\$.clusters`"),
        ({"extractor": {"name": "mfcc"}}, r"missing required field `source` - at `\$.extractor`"),
        ({"hashes": {"../secret": "0"}}, "names a file outside its folder: '../secret'"),
        ({"hashes": {"/etc/hosts": "0"}}, "names a file outside its folder: '/etc/hosts'"),
        ({"stage": "units"}, "expected the card of stage 'kmeans', found 'units'"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(folder: Path, changes: dict[str, Any], message: str):
    change(folder, **changes)
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
