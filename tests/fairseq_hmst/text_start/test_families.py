"""M2M-100, NLLB and Opus-MT: their sources, what is trained, and folders and data-bins that do not fit."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from text_model_cases import TextModelCase, text_model_case
from tiny_text_models import write_text_model
from toy import REPOSITORY, build_criterion

from fairseq_hmst.models.pretrained import OUTPUT_BIAS, TEXT_EMBEDDING, PretrainedModelError
from fairseq_hmst.text_start import read_text_model
from fairseq_hmst.text_start.command import main
from fairseq_hmst.text_start.families.table import FAMILIES, family_of
from preprocess.files.languages import CONVENTIONS

CODES = {"m2m-100": "en", "nllb-200": "eng_Latn", "nllb-200-legacy": "eng_Latn"}


@pytest.fixture
def opus(tmp_path) -> Path:
    """A copy of a folder of Opus-MT, to be damaged."""
    return Path(shutil.copytree(text_model_case("opus-mt").folder, tmp_path / "opus"))


def change_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def read(folder: Path, case: TextModelCase):
    return read_text_model(str(folder), case.task.data_bin, trust_pickle=False)


@pytest.mark.parametrize("convention", ["m2m-100", "nllb-200", "nllb-200-legacy", "opus-mt", "opus-mt-several"])
def test_sources_are_those_of_the_tokenizer(convention):
    case = text_model_case(convention, keep_all_pieces=convention != "nllb-200")
    dataset, dictionary = case.task.dataset("valid"), case.task.source_dictionary
    if convention in CODES:
        case.tokenizer.src_lang = CODES[convention]
    with (case.data_bin.parent / "manifest" / "dev.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["src_text"]]
    for number, row in enumerate(rows):
        tokens = [dictionary[index] for index in dataset[21 + number]["source"]]
        before, after = case.task.data_bin.language_symbols.source_edges
        end = len(tokens) - after
        found = [*tokens[:before], *tokens[before:end:4], *tokens[end:]]  # text stands 4 times
        prefix = {"fr": ">>fra<<", "de": ">>deu<<"}[row["tgt_lang"]] if convention == "opus-mt-several" else ""
        ids = case.tokenizer(prefix + row["src_text"]).input_ids
        assert found == case.tokenizer.convert_ids_to_tokens(ids)


def test_every_convention_is_of_one_family():
    assert sorted(name for family in FAMILIES.values() for name in family.conventions) == sorted(CONVENTIONS)
    assert family_of("nllb-200").models.model_type == "m2m_100"


def test_the_table_of_the_documentation_is_that_of_the_families():
    page = (REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8")
    families, answer = list(FAMILIES.values()), {True: "yes", False: "no"}
    starts = {True: "`<pad>`", False: "`</s>` or language"}
    rows = {
        "`model_type`": [f"`{family.models.model_type}`" for family in families],
        "class": [f"`{family.models.class_name}`" for family in families],
        "models": [family.models.models for family in families],
        "layer norms": ["after" if family.post_norm else "before" for family in families],
        "positions": [family.positions for family in families],
        "layer norm of embeddings": [answer[family.layernorm_embedding] for family in families],
        "bias of the output": [answer[family.output_bias] for family in families],
        "decoder starts from": [starts[family.start_with_padding] for family in families],
        "tokenizer": [", ".join(f"`{name}`" for name in family.models.tokenizer_files) for family in families],
    }
    for name, cells in rows.items():
        assert f"| {' | '.join([name, *cells])} |\n" in page


@pytest.mark.parametrize("convention", ["m2m-100", "opus-mt"])
def test_every_parameter_receives_a_gradient_and_units_trains_what_is_new_and_layer_norms(convention):
    case = text_model_case(convention, targets=("fr",))
    model = case.model("hmst_ctc_attention" if convention == "opus-mt" else "hmst_aed", finetune="units").train()
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    parts = ("layer_norm", "embed_tokens.units", "ctc_head")
    assert trained == {name for name, _ in model.named_parameters() if any(part in name for part in parts)}
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    build_criterion(case.task)(model, case.batch(range(15, 27)))[0].backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_opus_mt_starts_from_padding_and_its_bias_is_pruned_with_its_rows():
    case = text_model_case("opus-mt", keep_all_pieces=False)
    state, rows = torch.load(case.file, weights_only=True)["state"], case.row_of
    reference = case.reference
    is_known = rows >= 0
    assert torch.equal(state[OUTPUT_BIAS][is_known], reference.final_logits_bias[0, rows[is_known]])
    assert torch.equal(state[TEXT_EMBEDDING][1], reference.model.shared.weight[reference.config.pad_token_id])
    model = case.model()
    start = model.decoder.embed_tokens(torch.tensor([[2, 5]]))
    assert torch.equal(start[0], state[TEXT_EMBEDDING][[1, 5]])
    assert model.decoder.embed_tokens.weight is model.encoder.embed_tokens.text.weight


def test_rows_that_no_symbol_has_are_left_out(tmp_path):
    case = text_model_case("m2m-100")
    folder = write_text_model(tmp_path / "model", "m2m-100", more_rows=8)  # as published
    found = read(folder, case)
    assert len(found.embedding) == max(found.rows.values()) + 1 + 8


def test_shards_of_safetensors_give_the_same(tmp_path):
    case = text_model_case("m2m-100")
    folder = Path(shutil.copytree(case.folder, tmp_path / "model"))
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(state)
    files = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, part in files.items():
        save_file({name: state[name] for name in part}, folder / file, {"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: file for file, part in files.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    found, expected = read(folder, case), read(case.folder, case)
    assert all(torch.equal(found.state[name], tensor) for name, tensor in expected.state.items())
    assert torch.equal(found.embedding, expected.embedding)


def test_pickled_weights_are_read_and_code_in_them_is_not_run(tmp_path):
    case = text_model_case("opus-mt")
    folder = Path(shutil.copytree(case.folder, tmp_path / "model"))
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    assert torch.equal(read(folder, case).embedding, read(case.folder, case).embedding)
    torch.save(state | {"extra": Path("x")}, folder / "pytorch_model.bin")
    with pytest.raises(PretrainedModelError, match="the weights cannot be read"):
        read(folder, case)


@pytest.mark.parametrize(
    ("model_type", "message"),
    [
        ("nllb-moe", r"found nllb-moe, which cannot be taken, since its layers are mixtures of experts"),
        ("t5", r"found t5, which cannot be taken, since its attention has relative positions"),
        ("mbart", r"made for opus-mt: expected model_type marian, found mbart"),
    ],
)
def test_a_folder_of_another_class(opus, model_type, message):
    change_json(opus / "config.json", model_type=model_type)
    with pytest.raises(PretrainedModelError, match=message):
        read(opus, text_model_case("opus-mt"))


def test_a_vocabulary_that_is_larger_than_the_embedding(opus):
    change_json(opus / "config.json", vocab_size=20)
    with pytest.raises(PretrainedModelError, match=r"the tokenizer has \d+ symbols, but the embedding 20 rows"):
        read(opus, text_model_case("opus-mt"))


def test_another_vocab_json(opus):
    rows = json.loads((opus / "vocab.json").read_text(encoding="utf-8"))
    rows["▁red"], rows["▁blue"] = rows["▁blue"], rows["▁red"]
    (opus / "vocab.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(PretrainedModelError, match="made with another SentencePiece model"):
        read(opus, text_model_case("opus-mt"))


def test_a_decoder_that_starts_from_another_symbol(opus):
    change_json(opus / "config.json", decoder_start_token_id=0)
    with pytest.raises(PretrainedModelError, match="expected a decoder that starts from <pad>"):
        read(opus, text_model_case("opus-mt"))


def test_sequences_longer_than_the_positions_that_the_model_was_trained_with(tmp_path, capsys):
    case = text_model_case("m2m-100")
    short = write_text_model(tmp_path / "model", "m2m-100", max_position_embeddings=20)
    out = tmp_path / "start.pt"
    assert main(["--from", str(short), "--data", str(case.data_bin), "--out", str(out)]) == 1
    assert "longer than the positions of" in capsys.readouterr().err
    assert not out.exists()
