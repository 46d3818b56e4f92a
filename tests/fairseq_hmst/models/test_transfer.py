"""--transfer-from: what is copied from a checkpoint of other data, and what stays."""

import logging
from pathlib import Path

import pytest
import torch
from prompt_models import FAMILIES, SIZES, random_checkpoint
from toy import build_model, build_task, make_toy_data_bin

from fairseq_hmst.checkpoints.reading import CheckpointError
from fairseq_hmst.models.transfer import ROWS, is_unit_piece


@pytest.fixture(scope="module")
def german_task(tmp_path_factory: pytest.TempPathFactory):
    return build_task(make_toy_data_bin(tmp_path_factory.mktemp("german"), seed=3, targets=("de",)))


@pytest.mark.parametrize("family", ["hmst_ctc_attention", "hmst_transducer"])
def test_rows_of_common_pieces_and_all_else_of_the_same_shape_are_copied(
    toy_data_bin: Path, german_task, tmp_path: Path, caplog: pytest.LogCaptureFixture, family: str
):
    sizes = SIZES | FAMILIES[family]
    path = random_checkpoint(tmp_path / "french.pt", toy_data_bin, family)
    checkpoint = torch.load(path, weights_only=True)
    old = checkpoint["model"]
    if "decoder.embed_tokens.weight" in old:  # one parameter of two names, as a training saves it
        old["decoder.output_projection.weight"] = old["decoder.embed_tokens.weight"]
        torch.save(checkpoint, path)
    fresh = build_model(german_task, family, **sizes).state_dict()
    caplog.set_level(logging.INFO)
    found = build_model(german_task, family, transfer_from=str(path), **sizes).state_dict()
    symbols = {"old": checkpoint["task_state"]["symbols"], "new": german_task.data_bin.symbols}
    common = {name: set(symbols["old"][name]) & set(symbols["new"][name]) for name in symbols["old"]}
    assert 4 < len(common["target"]) < len(symbols["new"]["target"])  # some pieces, and not all
    for name, values in found.items():
        vocabulary = ROWS.get(name)
        if vocabulary is None:
            assert torch.equal(values, old[name]), name
            continue
        for row, symbol in enumerate(symbols["new"][vocabulary]):
            where = symbols["old"][vocabulary].index(symbol) if symbol in common[vocabulary] else None
            expected = fresh[name][row] if where is None else old[name][where]
            assert torch.equal(values[row], expected), (name, symbol)
    counts = f"{len(common['target'])} of {len(symbols['new']['target'])} target pieces"
    assert counts in caplog.text and f"transferred from {path}" in caplog.text


def test_another_shape_and_units_of_another_kmeans_are_left_as_initialised(
    toy_data_bin: Path, german_task, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = random_checkpoint(tmp_path / "french.pt", toy_data_bin, "hmst_ctc")
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["task_state"]["data_fingerprint"]["kmeans/centroids.npz"] = "0" * 64
    torch.save(checkpoint, path)
    sizes = SIZES | {"encoder_layers": 3, "ffn_embed_dim": 16}
    fresh = build_model(german_task, "hmst_ctc", **sizes).state_dict()
    caplog.set_level(logging.INFO)
    found = build_model(german_task, "hmst_ctc", transfer_from=str(path), **sizes).state_dict()
    name = "encoder.embed_tokens.weight"
    units = [row for row, symbol in enumerate(german_task.source_dictionary.symbols) if is_unit_piece(symbol)]
    assert len(units) == german_task.data_bin.card.dictionary.unit_subwords
    assert torch.equal(found[name][units], fresh[name][units])
    assert not torch.equal(found[name], fresh[name])
    for left in ("encoder.layers.0.fc1.weight", "encoder.layers.2.self_attn.k_proj.weight"):
        assert torch.equal(found[left], fresh[left])
    assert "the rows of units are not copied" in caplog.text
    assert "left as initialised: " in caplog.text


def test_what_cannot_be_transferred_is_refused(toy_data_bin: Path, german_task, tmp_path: Path):
    path = random_checkpoint(tmp_path / "old.pt", toy_data_bin, "hmst_ctc")
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["task_state"]["symbols"]
    torch.save(checkpoint, path)
    with pytest.raises(CheckpointError, match="does not say which pieces its rows belong to"):
        build_model(german_task, "hmst_ctc", transfer_from=str(path), **SIZES)
    with pytest.raises(ValueError, match="--init-from and --transfer-from both"):
        build_model(german_task, "hmst_aed", transfer_from=str(path), init_from=str(path))
