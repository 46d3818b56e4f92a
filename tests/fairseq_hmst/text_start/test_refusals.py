"""What the converter refuses, and that it writes nothing then; what it draws for new symbols."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from cards import edit_card
from text_model_cases import read_reference, text_model_case
from tiny_mbart import train_sentencepiece, write_hugging_face_mbart
from toy import build_model

from fairseq_hmst.models.pretrained import (
    DECODER_EMBEDDING,
    OUTPUT_EMBEDDING,
    TEXT_EMBEDDING,
    UNIT_EMBEDDING,
    PretrainedModel,
)
from fairseq_hmst.text_start import read_text_model
from fairseq_hmst.text_start.command import main
from fairseq_hmst.text_start.convert import convert as conversion
from preprocess.errors import NotFiniteError


@pytest.fixture(scope="module")
def case():
    """mBART-50, pruned."""
    return text_model_case("mbart-50", keep_all_pieces=False, targets=("fr",))


@pytest.fixture
def folder(case, tmp_path) -> Path:
    """A copy of the model, to be damaged."""
    return Path(shutil.copytree(case.folder, tmp_path / "model"))


def convert(source: object, data_bin: Path, out: Path, *options: str) -> int:
    return main(["--from", str(source), "--data", str(data_bin), "--out", str(out), *options])


def change_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def change_card(data_bin: Path, folder: Path, entry: str, **values: object) -> Path:
    copy = Path(shutil.copytree(data_bin, folder / "data-bin"))
    card = json.loads((copy / "card.json").read_text())
    edit_card(copy / "card.json", **{entry: card[entry] | values})
    return copy


def assert_refused(capsys, tmp_path: Path, source: object, data_bin: Path, *messages: str) -> None:
    out = tmp_path / "new" / "mbart.pt"
    out.parent.mkdir()
    assert convert(source, data_bin, out) == 1
    printed = capsys.readouterr().err
    assert all(message in printed for message in messages), printed
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", "config.json"),
        ("sentencepiece.bpe.model", "lacks the tokenizer, sentencepiece.bpe.model"),
        ("model.safetensors", "the weights cannot be read"),
    ],
)
def test_a_folder_that_is_not_whole(case, folder, tmp_path, capsys, missing, message):
    (folder / missing).unlink()
    assert_refused(capsys, tmp_path, folder, case.data_bin, message)


def test_a_truncated_safetensors(case, folder, tmp_path, capsys):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-1000])
    assert_refused(capsys, tmp_path, folder, case.data_bin, "the weights cannot be read")


@pytest.mark.parametrize("content", ["truncated", "empty", "pickle"])
def test_a_bin_file_that_is_not_whole_or_more_than_weights(case, folder, tmp_path, capsys, content):
    state = read_reference(folder).state_dict()
    (folder / "model.safetensors").unlink()
    path = folder / "pytorch_model.bin"
    torch.save(state | {"extra": Path("x")} if content == "pickle" else state, path)
    if content != "pickle":
        path.write_bytes(path.read_bytes()[:-1000] if content == "truncated" else b"")
    assert_refused(capsys, tmp_path, folder, case.data_bin, "the weights cannot be read")


def test_a_folder_to_write_to_that_is_not_there(case, tmp_path, capsys):
    assert convert(case.folder, case.data_bin, tmp_path / "no" / "mbart.pt") == 1
    assert "there is no folder" in capsys.readouterr().err


def test_a_model_of_another_kind(case, folder, tmp_path, capsys):
    change_json(folder / "config.json", model_type="bart")
    assert_refused(
        capsys,
        tmp_path,
        folder,
        case.data_bin,
        "M2M-100 and dense NLLB) or marian (MarianMTModel: Opus-MT), found bart",
    )


def test_no_folder_at_all(case, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert_refused(
        capsys,
        tmp_path,
        "nobody/no-such-mbart",
        case.data_bin,
        "'nobody/no-such-mbart' is neither a folder nor a hub name that can be reached",
    )


def test_another_sentencepiece_model(case, folder, tmp_path, capsys):
    (folder / "sentencepiece.bpe.model").write_bytes(train_sentencepiece(["other text altogether"] * 20, 20))
    expected = case.task.data_bin.card.text_model.hash[:12]
    messages = ("made with another SentencePiece model", expected)
    assert_refused(capsys, tmp_path, folder, case.data_bin, *messages)


def test_a_model_of_the_other_convention(case, tmp_path, capsys):
    other = write_hugging_face_mbart(tmp_path / "model", "mbart-cc25")
    messages = ("the data-bin, which was made for mbart-50: its embedding has 75 rows", "102 in mbart-50")
    assert_refused(capsys, tmp_path, other, case.data_bin, *messages)


def test_a_language_that_the_model_lacks(case, folder, tmp_path, capsys):
    data_bin = change_card(case.data_bin, tmp_path, "language_symbols", symbols={"en": "en_XX", "xx": "xx_XX"})
    # the data-bin itself would not be read: its dictionaries have no such symbol
    for name in ("dict.src.txt", "dict.tgt.txt"):
        text = (data_bin / name).read_text(encoding="utf-8").replace("xh_ZA", "xx_XX")
        (data_bin / name).write_text(text, encoding="utf-8")
    rehash(data_bin)
    assert_refused(capsys, tmp_path, folder, data_bin, "has the language xx (xx_XX), which", "lacks; it has: ar_AR,")


def test_sources_longer_than_the_model_s_positions(case, tmp_path, capsys):
    short = write_hugging_face_mbart(tmp_path / "model", "mbart-50", max_position_embeddings=20)
    messages = ("longer than the positions of", "test.mt.src: 11 of 18 above 20, the longest 58", "train.mt.tgt: ")
    assert_refused(capsys, tmp_path, short, case.data_bin, *messages)


def test_a_data_bin_without_a_text_model(case, toy_data_bin, tmp_path, capsys):
    assert_refused(capsys, tmp_path, case.folder, toy_data_bin, "was made without a text model; make it with")


def test_no_data_bin(case, tmp_path, capsys):
    assert_refused(capsys, tmp_path, case.folder, tmp_path, "is not a finished output of the stage 'binarize'")


def test_a_bias_of_the_output(case, folder, tmp_path, capsys):
    model = read_reference(folder)
    model.final_logits_bias += 1
    model.save_pretrained(folder)
    assert_refused(capsys, tmp_path, folder, case.data_bin, "final_logits_bias is not zero")


def test_a_file_with_nan_is_neither_written_nor_started_from(case, tmp_path):
    content = torch.load(case.file, weights_only=True)
    content["state"]["decoder.layers.0.fc1.weight"][3, 1] = torch.nan
    path = tmp_path / "mbart.pt"
    torch.save(content, path)
    message = r"mbart.pt: decoder.layers.0.fc1.weight holds NaN or infinite values in row 3 of 40"
    with pytest.raises(NotFiniteError, match=f"^--init-from .*{message}; make it again by"):
        build_model(case.task, "hmst_aed", init_from=str(path))
    pretrained = replace(PretrainedModel.read(path), path=tmp_path / "new" / "mbart.pt")
    with pytest.raises(NotFiniteError, match=message):
        pretrained.write()
    assert not pretrained.path.exists()


def test_a_missing_weight(case, folder, tmp_path, capsys):
    model = read_reference(folder)
    state = model.state_dict()
    del state["model.encoder.layers.1.fc1.bias"]
    model.save_pretrained(folder, state_dict=state)
    assert_refused(capsys, tmp_path, folder, case.data_bin, "1 weights are missing", "model.encoder.layers.1.fc1.bias")


def test_a_folder_of_bin_files_in_shards_gives_the_same(case, folder, tmp_path):
    state = {name: tensor.clone() for name, tensor in read_reference(folder).state_dict().items()}
    (folder / "model.safetensors").unlink()
    names = sorted(state)
    files = {"pytorch_model-00001-of-00002.bin": names[::2], "pytorch_model-00002-of-00002.bin": names[1::2]}
    for file, part in files.items():
        torch.save({name: state[name] for name in part}, folder / file)
    index = {"metadata": {}, "weight_map": {name: file for file, part in files.items() for name in part}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert convert(folder, case.data_bin, tmp_path / "mbart.pt") == 0
    found, expected = (torch.load(path, weights_only=True)["state"] for path in (tmp_path / "mbart.pt", case.file))
    assert all(torch.equal(found[name], expected[name]) for name in found.keys() | expected.keys())


def test_new_rows_have_the_spread_of_the_old_ones_and_depend_on_the_seed(case, tmp_path):
    tables = []
    for number, seed in enumerate([0, 0, 1]):
        assert convert(case.folder, case.data_bin, tmp_path / f"{number}.pt", "--seed", str(seed)) == 0
        tables.append(torch.load(tmp_path / f"{number}.pt", weights_only=True)["state"])
    assert torch.equal(tables[0][UNIT_EMBEDDING], tables[1][UNIT_EMBEDDING])
    assert not torch.equal(tables[0][UNIT_EMBEDDING], tables[2][UNIT_EMBEDDING])
    old, new = tables[0][TEXT_EMBEDDING], torch.cat([table[UNIT_EMBEDDING] for table in (tables[0], tables[2])])
    # 136 draws a dimension: 0.35 is four standard errors of a mean
    assert ((new.mean(0) - old.mean(0)) / old.std(0)).abs().max() < 0.35
    assert (new.std(0) / old.std(0)).log().abs().max() < 0.35


def test_new_rows_of_an_unshared_embedding_are_like_its_own():
    case = text_model_case("opus-mt", keep_all_pieces=False, untied="all")
    data_bin = case.task.data_bin
    text_model = read_text_model(str(case.folder), data_bin, trust_pickle=False)
    means = {TEXT_EMBEDDING: 0, DECODER_EMBEDDING: 50, OUTPUT_EMBEDDING: -50}
    for name in (DECODER_EMBEDDING, OUTPUT_EMBEDDING):
        text_model.state[name] = text_model.state[name] + means[name]
    state = conversion(text_model, data_bin, 0, case.file).state
    missing = case.row_of < 0
    assert missing.any()
    for name, mean in means.items():
        assert state[name].shape == (len(missing), text_model.embedding.size(1))
        assert (state[name][missing] - mean).abs().max() < 20  # the standard deviation of a dimension is below 2


def test_the_table_counts_what_is_kept(case, tmp_path, capsys):
    assert convert(case.folder, case.data_bin, tmp_path / "mbart.pt") == 0
    printed = {line[:18].strip(): line[18:].split() for line in capsys.readouterr().out.splitlines()}
    card = case.task.data_bin.card
    pieces, units = card.text_model.kept_pieces, card.dictionary.unit_subwords
    assert printed["pieces of text"] == [str(pieces), str(pieces), "45"]
    assert printed["language symbols"] == ["52", "52", "52"]
    assert printed["special symbols"] == ["5", "5", "5"]
    assert printed["unit subwords"] == [str(units), "0", "0"]
    before = sum(parameter.numel() for parameter in case.reference.parameters())
    after = before - (45 - pieces) * 16 + units * 16
    assert printed["parameters"] == [f"{after:,}", f"{before:,}"]


def test_every_unit_has_a_row_and_none_becomes_unknown(case):
    data_bin = case.task.data_bin
    model, first = data_bin.subword_model("unit"), data_bin.card.dictionary.first_unit_subword
    for unit in range(data_bin.card.num_units):
        pieces = model.encode(chr(data_bin.card.first_unit_character + unit), out_type=str)
        ids = [data_bin.source_dictionary.index(piece) for piece in pieces]
        assert ids
        assert all(first <= index < len(data_bin.source_dictionary) for index in ids)


def rehash(data_bin: Path) -> None:

    edit_card(data_bin / "card.json", remeasure=True)
