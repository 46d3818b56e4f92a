"""Model folders that were broken, changed or made to do harm, and those of the hub."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cards import edit_card, measure
from prompt_models import RECORDINGS

from fairseq_hmst.model_folder.card import README_NAME
from fairseq_hmst.model_folder.folder import ALLOWED_PATTERNS, ModelFolder
from fairseq_hmst.model_folder.json_files import read_object, write_object
from fairseq_hmst.translate import ModelFolderError, Translator

PROMPT = RECORDINGS / "activated.ogg"


class Bomb:
    """A pickle of it makes a file when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


@pytest.fixture
def copy(model_folder, tmp_path) -> Path:
    """A copy of the model folder that a test may change."""
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def hashed_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != README_NAME)


def reseal(folder: Path) -> None:
    """What somebody who means harm would do: make all hashes fit again."""
    for inner in (folder / "data" / "kmeans", folder / "data"):
        edit_card(inner / "card.json", remeasure=True)
    names = [path.relative_to(folder).as_posix() for path in hashed_files(folder) if path != folder / "card.json"]
    edit_card(folder / "card.json", hashes={name: measure(folder / name) for name in names})


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x11
    path.write_bytes(content)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(path.stat().st_size))


@pytest.mark.parametrize("damage", [flip, halve, empty, overwrite, Path.unlink])
def test_any_damaged_file_is_an_error_that_names_it(copy, damage: Callable[[Path], None]):
    for path in hashed_files(copy):
        content = path.read_bytes()
        damage(path)
        with pytest.raises(ModelFolderError, match=path.name):
            Translator.from_pretrained(copy)
        path.write_bytes(content)
    assert Translator.from_pretrained(copy)


@pytest.mark.parametrize("damage", [flip, halve, empty, overwrite])
def test_damage_behind_fitting_hashes_is_an_error_of_ours_or_harmless(copy, damage: Callable[[Path], None]):
    names = [path.relative_to(copy) for path in hashed_files(copy)]
    for name in names:
        if name.name == "card.json":
            continue  # those are written again
        shutil.copytree(copy, copy.parent / "damaged")
        damage(copy.parent / "damaged" / name)
        reseal(copy.parent / "damaged")
        try:
            Translator.from_pretrained(copy.parent / "damaged").translate([PROMPT])
        except ModelFolderError as error:
            assert str(copy.parent / "damaged") in str(error)
        shutil.rmtree(copy.parent / "damaged")


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("config.json", "models", []),
        ("config.json", "models", [{"file": "../model.safetensors", "options": {"_name": "hmst_ctc"}}]),
        ("config.json", "models", [{"file": "model.safetensors", "options": {"_name": "hmst_aed"}}]),
        ("config.json", "models", [{"file": "model.safetensors", "options": {"_name": "transformer"}}]),
        ("config.json", "models", [{"file": "model.safetensors", "options": {"_name": "hmst_ctc", "embed_dim": "x"}}]),
        ("config.json", "generation", {"beam": "many"}),
        ("config.json", "generation", {"decoding": "joint"}),
        ("card.json", "encoder", "wavlm"),
        ("card.json", "encoder", {"name": "wavlm", "included": False}),
        ("data/card.json", "dictionary", {}),
        ("data/card.json", "hashes", {}),
        ("data/kmeans/card.json", "clusters", 17),
        ("data/kmeans/card.json", "extractor", None),
    ],
)
def test_values_that_make_no_sense_behind_fitting_hashes_are_an_error_of_ours(copy, file, key, value):
    write_object(copy / file, read_object(copy / file) | {key: value})
    if (file, key) == ("data/card.json", "hashes"):
        (copy / "data" / "dict.src.txt").unlink()
    reseal(copy)
    with pytest.raises(ModelFolderError, match=str(copy)):
        Translator.from_pretrained(copy)


def test_pickles_beside_the_files_are_not_looked_at(copy, tmp_path):
    trace = tmp_path / "trace"
    for name in ("model.pt", "pytorch_model.bin", "data/kmeans/kmeans.km", "data/checkpoint_best.pt"):
        (copy / name).write_bytes(pickle.dumps(Bomb(trace)))
    assert Translator.from_pretrained(copy).translate([PROMPT])
    assert not trace.exists()


def test_a_model_that_is_not_of_this_package_is_refused_before_it_is_built(copy, tmp_path):
    """fairseq's own would load the checkpoint that its options name."""
    (copy / "data" / "pickle.txt").write_bytes(pickle.dumps(Bomb(tmp_path / "trace")))
    options = {"_name": "wav2vec_ctc", "w2v_path": str(copy / "data" / "pickle.txt")}
    config = {"models": [{"file": "model.safetensors", "options": options}], "generation": {}}
    write_object(copy / "config.json", config)
    reseal(copy)
    with pytest.raises(ModelFolderError, match="expected one of hmst_aed, hmst_ctc, hmst_ctc_attention"):
        Translator.from_pretrained(copy)
    assert not (tmp_path / "trace").exists()


def save_pickled_array(path: Path, trace: Path) -> None:
    np.savez(path, centroids=np.array([Bomb(trace)], dtype=object))


def save_bare_pickle(path: Path, trace: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb(trace)))


@pytest.mark.parametrize("save", [save_pickled_array, save_bare_pickle])
@pytest.mark.parametrize("name", ["data/kmeans/centroids.npz", "model.safetensors", "data/subwords/unit.model"])
def test_a_pickle_in_the_place_of_a_file_is_refused_and_not_run(copy, tmp_path, save, name):
    trace = tmp_path / "trace"
    save(tmp_path / "pickle.npz", trace)
    (tmp_path / "pickle.npz").replace(copy / name)
    reseal(copy)
    with pytest.raises(ModelFolderError, match="cannot be used"):
        Translator.from_pretrained(copy)
    assert not trace.exists()


def test_a_card_with_an_entry_more_or_less_is_not_the_one_that_was_exported(copy):
    sealed = read_object(copy / "card.json")
    for changed in (sealed | {"more": 1}, {key: value for key, value in sealed.items() if key != "version"}):
        write_object(copy / "card.json", changed)
        with pytest.raises(ModelFolderError, match="card.json: has changed since it was written: .*; copy or export"):
            ModelFolder.open(copy)
    write_object(copy / "card.json", sealed)
    assert ModelFolder.open(copy)


@pytest.mark.parametrize(
    ("name", "first", "then"),
    [
        ("../../outside.json", "has changed since it was written", "names a file outside its folder"),
        ("/etc/hostname", "has changed since it was written", "names a file outside its folder"),
        ("model.pt", "has changed since it was written", "names a file of a kind that a model folder does not have"),
    ],
)
def test_a_card_that_names_files_outside_or_of_other_kinds_is_refused(copy, name, first, then):
    (copy / "model.pt").touch()
    sealed = read_object(copy / "card.json")
    sealed["hashes"][name] = measure(copy / "model.pt")
    write_object(copy / "card.json", sealed)
    with pytest.raises(ModelFolderError, match=first):
        ModelFolder.open(copy)
    edit_card(copy / "card.json")
    with pytest.raises(ModelFolderError, match=then):
        ModelFolder.open(copy)


def test_other_folders_and_formats_are_refused(copy, prompt_data_bin, tmp_path):
    for folder, message in (
        (tmp_path, "is not a whole model folder: it has no card.json"),
        (prompt_data_bin, "expected the card of stage 'model', found 'binarize'; make the model folder again by"),
        (copy / "config.json", "is a file; expected a model folder"),
    ):
        with pytest.raises(ModelFolderError, match=message):
            ModelFolder.open(folder)
    card = read_object(copy / "card.json")
    write_object(copy / "card.json", card | {"format_version": 1})
    with pytest.raises(ModelFolderError, match="expected format_version 2, found 1: .*make the model folder again by"):
        ModelFolder.open(copy)
    del card["format_version"]  # as before there were such versions
    write_object(copy / "card.json", card | {"format": 1})
    with pytest.raises(ModelFolderError, match="expected format_version 2, found none: .*make the model folder again"):
        ModelFolder.open(copy)
    (copy / "card.json").write_text("[" * 100_000)
    with pytest.raises(ModelFolderError, match="not valid JSON"):
        ModelFolder.open(copy)


def test_the_readme_may_be_edited(copy):
    (copy / "README.md").write_text("Mine.")
    assert ModelFolder.open(copy)
    (copy / "README.md").unlink()
    assert ModelFolder.open(copy)


def test_a_hub_name_is_downloaded_without_files_of_other_kinds(copy, tmp_path, monkeypatch):
    """The hub's cache holds links to files of other names."""
    (copy / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "trace")))
    asked, snapshot = [], tmp_path / "cache" / "snapshots" / "c0ffee"

    def snapshot_download(name: str, allow_patterns: list[str]) -> str:
        from huggingface_hub.utils import filter_repo_objects

        asked.append(name)
        names = [path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()]
        for number, file in enumerate(filter_repo_objects(names, allow_patterns=allow_patterns)):
            blob, link = tmp_path / "cache" / "blobs" / str(number), snapshot / file
            blob.parent.mkdir(parents=True, exist_ok=True)
            link.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copy / file, blob)
            link.symlink_to(blob)
        return str(snapshot)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    expected = Translator.from_pretrained(copy).translate([PROMPT])
    assert Translator.from_pretrained("somebody/speech-en-fr").translate([PROMPT]) == expected
    assert asked == ["somebody/speech-en-fr"]
    found = {path.name for path in snapshot.rglob("*")}
    assert {"model.safetensors", "README.md", "unit.model", "centroids.npz"} < found
    assert "pytorch_model.bin" not in found


@pytest.mark.parametrize("name", ["no such name/at all/anywhere", "somebody/speech"])
def test_a_name_that_cannot_be_reached_is_an_error_in_words(name, monkeypatch):
    def unreachable(*args: object, **options: object) -> str:
        raise OSError("no network")

    if name == "somebody/speech":
        monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(ModelFolderError, match="is neither a folder nor a hub name that can be reached"):
        ModelFolder.open(name)


def test_every_exported_file_would_be_downloaded(model_folder):
    from huggingface_hub.utils import filter_repo_objects

    names = [path.relative_to(model_folder).as_posix() for path in model_folder.rglob("*") if path.is_file()]
    assert sorted(filter_repo_objects(names, allow_patterns=ALLOWED_PATTERNS)) == sorted(names)


def test_json_in_the_folder_is_readable_by_others(model_folder):
    for path in model_folder.rglob("*.json"):
        assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
