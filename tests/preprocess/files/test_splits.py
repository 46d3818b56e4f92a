"""What binarize makes of utterances that the stage units has skipped."""

from pathlib import Path

import pytest
from cards import edit_card, measure, read_card
from spoken_corpus import make_corpus, run_binarize

from preprocess.errors import MismatchError, UnitsError
from preprocess.files.faults import Fault, faults_path, write_faults
from preprocess.files.manifest import write_manifest
from preprocess.files.splits import find_manifests, load_splits
from preprocess.files.units import format_units, read_units

SKIPPED = ("train-4", "train-7")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    make_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def counts_of_all(corpus: Path) -> dict:
    return read_card(run_binarize(corpus), "binarize")["counts"]


def skip(units_path: Path, listed: tuple[str, ...]) -> None:
    """What the stage units leaves with `--on-error skip`, had SKIPPED been at fault; `listed` in errors.tsv."""
    lines = [format_units(name, units) for name, units in read_units(units_path) if name not in SKIPPED]
    units_path.write_text("".join(lines))
    faults = faults_path(units_path)
    write_faults(faults, [Fault(name, "train.tsv:0", "not audio") for name in listed])
    card_path = units_path.with_suffix(".card.json")
    edit_card(card_path, skipped=len(SKIPPED), hashes={path.name: measure(path) for path in (units_path, faults)})


def test_skipped_utterances_serve_text_translation_alone(corpus: Path, counts_of_all: dict, tmp_path: Path):
    skip(corpus / "units/train.units", SKIPPED)
    split = load_splits(corpus / "manifest", corpus / "units")[0]
    assert {row.id for row in split.utterances if row.audio is None} >= set(SKIPPED)
    assert not set(SKIPPED) & set(split.units)
    counts = read_card(run_binarize(corpus), "binarize")["counts"]
    assert counts["train"]["st"]["examples"] == counts_of_all["train"]["st"]["examples"] - 2
    assert counts["train"]["mt"]["examples"] == counts_of_all["train"]["mt"]["examples"]
    assert counts["valid"] == counts_of_all["valid"]


def test_a_manifest_that_is_a_link_to_nothing_is_named(tmp_path: Path):
    write_manifest(tmp_path / "train.tsv", [])
    (tmp_path / "dev.tsv").symlink_to("gone.tsv")
    assert list(find_manifests(tmp_path)) == ["train", "valid"]


def test_an_utterance_that_is_missing_without_being_listed_is_an_error(corpus: Path, counts_of_all: dict):
    skip(corpus / "units/train.units", SKIPPED[:1])
    with pytest.raises(UnitsError, match=r"train.units lacks 1 of the .* the first is 'train-7'"):
        load_splits(corpus / "manifest", corpus / "units")


def test_a_list_that_has_changed_since_is_refused(corpus: Path, counts_of_all: dict):
    skip(corpus / "units/train.units", SKIPPED)
    write_faults(corpus / "units/train.errors.tsv", [Fault("train-9", "train.tsv:11", "something else")])
    with pytest.raises(MismatchError, match=r"train.errors.tsv: has changed since it was made"):
        load_splits(corpus / "manifest", corpus / "units")
