from collections.abc import Callable
from pathlib import Path

import pytest
from cards import edit_card

from preprocess.errors import MismatchError
from preprocess.external_text.corpus import ExternalCorpus
from preprocess.external_text.filter import PairFilter, PairLimits
from preprocess.files.cards.named_files import hash_files, list_files
from preprocess.files.cards.stage_cards import ManifestCard, ManifestFilters
from preprocess.files.languages import Languages
from preprocess.files.manifest import Utterance, read_manifest, write_manifest
from preprocess.stages.subwords import read_texts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the stage `manifest` writes: two manifests, text alone, and a card."""
    for name in ("train", "dev"):
        row = Utterance(f"{name}-0", None, 0.0, None, "en", "fr", "a dog", "un chien", "")
        write_manifest(tmp_path / f"{name}.tsv", [row])
    (tmp_path / "mt.en").write_text("a dog\n")
    (tmp_path / "mt.fr").write_text("un chien\n")
    filters, hashes = ManifestFilters(None, None, None), hash_files(tmp_path, list_files(tmp_path))
    ManifestCard(corpus="tsv", counts={}, filters=filters, filtered={}, errors={}, hashes=hashes).write(tmp_path)
    return tmp_path


def read_external(folder: Path) -> object:
    files = (folder / "mt.en", folder / "mt.fr")
    return ExternalCorpus(files, Languages(("en",), ("fr",)), PairFilter(frozenset(), PairLimits()), 1.0, [0])


READERS = {
    "train.tsv": lambda folder: read_manifest(folder / "train.tsv"),
    "dev.tsv": lambda folder: read_texts([folder / "dev.tsv"], "tgt_text"),
    "mt.en": read_external,
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_was_changed_after_it_was_made_is_refused_until_the_card_is_gone(folder: Path, name: str):
    read: Callable[[Path], object] = READERS[name]
    read(folder)
    (folder / name).write_text((folder / name).read_text().replace("dog", "cat"))
    message = rf"{name}: has changed since it was made: .* sha256 .*; make the manifests again; or remove card.json, if"
    with pytest.raises(MismatchError, match=message):
        read(folder)
    (folder / "card.json").unlink()
    read(folder)


def test_a_manifest_beside_it_that_is_gone_or_cut_is_named(folder: Path):
    (folder / "dev.tsv").write_text("")
    with pytest.raises(MismatchError, match=r"dev.tsv: has changed since it was made: .* bytes, found 0"):
        read_manifest(folder / "train.tsv")


def test_a_manifest_that_the_card_does_not_name_was_made_by_hand(folder: Path):
    row = read_manifest(folder / "train.tsv")[0]
    write_manifest(folder / "test_own.tsv", [row])
    assert read_manifest(folder / "test_own.tsv") == [row]


def test_the_card_of_something_else_beside_a_manifest_is_not_asked(folder: Path):
    (folder / "train.tsv").write_text((folder / "train.tsv").read_text().replace("dog", "cat"))
    edit_card(folder / "card.json", stage="cooking")
    assert read_manifest(folder / "train.tsv")[0].src_text == "a cat"
