"""Data-bins whose streams or cards are not those that were made."""

import json
import os
import shutil
from pathlib import Path

import pytest
from cards import edit_card, read_card
from toy import build_criterion, build_task, make_toy_data_bin

from fairseq_hmst.data.data_bin import DataBin, DataBinError
from fairseq_hmst.tasks.config import HmstTranslationConfig
from fairseq_hmst.tasks.hmst_translation import HmstTranslationTask
from preprocess.files.cards import file_hashes
from preprocess.files.hashing import hash_file

LONG_AGO = 1e9
SIDES = ("src.bin", "src.idx", "tgt.bin", "tgt.idx", "transcript.bin", "transcript.idx")


@pytest.fixture
def copy(toy_data_bin: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(toy_data_bin, tmp_path / "copy"))


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def test_one_bit_of_any_stream_is_noticed_when_it_is_loaded(copy: Path):
    task = build_task(copy)
    streams = {"train": ["st", "mt"], "valid": ["st", "mt"], "test": ["st"]}
    names = [f"{split}.{stream}.{side}" for split in streams for stream in streams[split] for side in SIDES]
    there = [name for name in names if (copy / name).is_file()]
    assert len(there) == 5 * 4 + 3 * 2  # transcripts are of speech alone
    for name in there:
        content = (copy / name).read_bytes()
        flip_a_bit(copy / name)
        task.data_bins = [DataBin(copy)]  # sizes are the same
        task.data_bin = task.data_bins[0]
        with pytest.raises(DataBinError, match=rf"{name}: has changed since it was made: its card says sha256"):
            task.load_dataset(name.split(".")[0])
        (copy / name).write_bytes(content)


def test_a_stream_that_is_cut_is_noticed_at_every_start(copy: Path):
    path = copy / "train.mt.tgt.bin"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(
        DataBinError, match=r"train.mt.tgt.bin: has changed .*: its card says \d+ bytes, found \d+; make"
    ):
        DataBin(copy)


def test_the_stream_of_another_data_bin_is_refused(copy: Path, tmp_path: Path):
    other = make_toy_data_bin(tmp_path / "other", seed=3)
    for suffix in ("bin", "idx"):
        shutil.copy(other / f"valid.st.src.{suffix}", copy)
    with pytest.raises(DataBinError, match=r"valid.st.src.(bin|idx): has changed since it was made"):
        build_task(copy)


def test_a_stream_that_the_card_does_not_name_is_not_there(copy: Path):
    for path in copy.glob("valid.st.*"):
        shutil.copy(path, copy / path.name.replace("valid", "test2"))
    with pytest.raises(DataBinError, match="has no stream 'test2.st'"):
        build_task(copy).load_dataset("test2")


@pytest.mark.parametrize(
    "edit",
    [
        {"repeat": 2},
        {"num_units": 64},
        {"languages": {"source": ["en"], "target": ["de"]}},
        {"dictionary": {"first_unit_subword": 5}},
        {"format_version": 1},
    ],
)
def test_a_card_that_was_edited_by_hand_is_refused(copy: Path, edit: dict):
    card = read_card(copy, "binarize")
    edited = {key: card[key] | value if isinstance(value, dict) else value for key, value in edit.items()}
    (copy / "card.json").write_text(json.dumps(card | edited), encoding="utf-8")
    message = (
        "its own hash is another; make the output again"
        if "format_version" not in edit
        else ("expected format_version 2, found 1: .*; make it again by `hmst preprocess binarize`")
    )
    with pytest.raises(DataBinError, match=rf"card.json: .*{message}"):
        DataBin(copy)


def test_splits_whose_names_lead_elsewhere_are_refused(copy: Path):
    counts = read_card(copy, "binarize")["counts"]
    edit_card(copy / "card.json", counts=counts | {"../../else/train": counts["train"]})
    with pytest.raises(DataBinError, match=r"names a file outside its folder: '../../else/train'"):
        DataBin(copy)


def start_training(data_bin: Path, save_dir: Path, **options: object) -> None:
    task = HmstTranslationTask(HmstTranslationConfig(data=str(data_bin), save_dir=str(save_dir), **options))
    task.criterion = build_criterion(task)  # what makes it one
    task.load_dataset("train")


def test_the_data_of_a_training_is_read_once_and_again_where_it_was_touched(copy: Path, tmp_path: Path, monkeypatch):
    read: list[str] = []
    monkeypatch.setattr(file_hashes, "hash_file", lambda path, report: (read.append(path.name), hash_file(path))[1])
    for path in copy.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    expected = {f"train.st.{side}" for side in SIDES} | {f"train.mt.{side}" for side in SIDES[:4]}
    save_dir = tmp_path / "model"
    start_training(copy, save_dir)
    assert (set(read), len(read)) == (expected, len(expected))
    start_training(copy, save_dir)
    assert len(read) == len(expected)
    flip_a_bit(copy / "train.st.src.bin")
    with pytest.raises(DataBinError, match=r"train.st.src.bin: has changed since it was made"):
        start_training(copy, save_dir)
    assert len(read) == len(expected) + 1
    start_training(copy, save_dir, streams="mt")  # what is not used is not read
    assert (save_dir / ".data_hashes.json").is_file()
    start_training(copy, tmp_path / "none", streams="mt", no_save=True)
    assert not (tmp_path / "none").exists()


def test_a_folder_without_a_card_is_no_data_bin(tmp_path):
    with pytest.raises(DataBinError, match="it has no card.json; make it by `hmst preprocess binarize`"):
        DataBin(tmp_path)


def test_a_changed_dictionary_is_refused(toy_data_bin, tmp_path):
    copy = shutil.copytree(toy_data_bin, tmp_path / "copy")
    with (copy / "dict.tgt.txt").open("a", encoding="utf-8") as file:
        file.write("more 1\n")
    with pytest.raises(DataBinError, match=r"dict.tgt.txt: has changed since it was made: its card says"):
        DataBin(copy)


def test_a_missing_file_and_a_broken_card_are_refused(toy_data_bin, tmp_path):
    copy = shutil.copytree(toy_data_bin, tmp_path / "copy")
    (copy / "subwords" / "unit.model").unlink()
    with pytest.raises(DataBinError, match=r"unit.model: is missing, though its card names it"):
        DataBin(copy)
    (copy / "card.json").write_text("{")
    with pytest.raises(DataBinError, match="not valid JSON"):
        DataBin(copy)
    (copy / "card.json").write_text(json.dumps({"stage": "kmeans"}))
    with pytest.raises(DataBinError, match="expected the card of stage 'binarize', found 'kmeans'"):
        DataBin(copy)
