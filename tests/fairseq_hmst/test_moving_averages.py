"""Moving averages of weights (fairseq's --store-ema): kept whole, and taken by `average --ema`."""

import logging

import pytest
import torch
from fairseq.dataclass.configs import EMAConfig
from fairseq.models.ema.ema import EMA
from toy import build_model

from fairseq_hmst.average import average_checkpoints, main

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1}


def checkpoint(weights, averages=None, precise=None):
    """As fairseq-train writes it."""
    extra_state = {"metrics": {}}
    extra_state |= {} if averages is None else {"ema": averages}
    extra_state |= {} if precise is None else {"ema_fp32_params": precise}
    cfg = {"ema": {"store_ema": averages is not None}, "task": {"store_ema": averages is not None}, "model": {}}
    return {"model": weights, "extra_state": extra_state, "cfg": cfg}


@pytest.fixture
def paths(tmp_path):
    """Checkpoints with averages of 1 and 3, one with precise ones of 1.25, one with averages of one weight of two."""
    whole = {"a": torch.ones(2), "b": torch.ones(2)}
    contents = {
        "one": checkpoint({"a": torch.zeros(2), "b": torch.zeros(2)}, whole),
        "three": checkpoint({"a": torch.zeros(2), "b": torch.zeros(2)}, {n: 3 * w for n, w in whole.items()}),
        "precise": checkpoint(whole, whole, {name: 1.25 * weight for name, weight in whole.items()}),
        "partly": checkpoint({"a": torch.zeros(2), "b": torch.full((2,), 7.0)}, {"a": torch.ones(2)}),
        "none": checkpoint(whole),
    }
    for name, content in contents.items():
        torch.save(content, tmp_path / name)
    return {name: tmp_path / name for name in contents}


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["one"], (1.0, 1.0)), (["one", "three"], (2.0, 2.0)), (["precise"], (1.25, 1.25)), (["partly"], (1.0, 7.0))],
)
def test_they_take_the_place_of_the_weights(names, expected, paths):
    found = average_checkpoints([paths[name] for name in names], ema=True)
    assert [float(found["model"][name][0]) for name in ("a", "b")] == list(expected)
    assert found["extra_state"] == {"metrics": {}}
    assert not found["cfg"]["task"]["store_ema"]


def test_the_command_says_where_there_are_none_or_others_beside_the_weights(paths, tmp_path, capsys, caplog):
    assert main(["--model", str(paths["none"]), "--ema", "--out", str(tmp_path / "out.pt")]) == 1
    assert "has no moving averages of weights: it was not trained with --store-ema" in capsys.readouterr().err
    with caplog.at_level(logging.WARNING):
        assert main(["--model", str(paths["one"]), "--out", str(tmp_path / "out.pt")]) == 0
    assert "also has moving averages of weights" in caplog.text
    assert torch.load(tmp_path / "out.pt")["model"]["a"].eq(0).all()


def test_fairseq_keeps_the_average_of_every_weight(toy_task):
    model = build_model(toy_task, "hmst_aed_tiny", **SMALL)
    config = EMAConfig()
    config.ema_decay = 0.5
    ema = EMA(model, config)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1.0
    ema.step(model)
    found = ema.get_model().state_dict()
    assert found.keys() == before.keys()
    for name, parameter in model.named_parameters():
        # fairseq goes twice over a weight with two names
        share = 0.25 if name == "decoder.embed_tokens.weight" else 0.5
        assert torch.allclose(found[name], share * before[name] + (1 - share) * parameter, atol=1e-6), name
