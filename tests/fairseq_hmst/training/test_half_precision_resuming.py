"""A training in half precision that goes on from a checkpoint, beside one that was not interrupted."""

import pytest
import torch
from fairseq.optim.amp_optimizer import AMPOptimizer
from fairseq.optim.fp16_optimizer import FP16Optimizer
from half_precision import PRECISIONS, cuda_stand_in, make_trainer, make_updates, save, training_config, weights_of

from fairseq_hmst.average import average_checkpoints
from fairseq_hmst.training import optimizers

OPTIONS = ("--fp16-scale-window", 3, "--store-ema", "--ema-fp32", "--ema-decay", 0.9)
INTERRUPTED, END = 4, 8  # updates
FAMILIES = ("hmst_aed", "hmst_ctc", "hmst_ctc_attention", "hmst_transducer")
HALF = [precision for precision in PRECISIONS if precision != "float32"]


@pytest.fixture(scope="module", autouse=True)
def on_a_gpu():
    with cuda_stand_in():
        yield


def averages_of(trainer) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in trainer.ema.fp32_params.items()}


def equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


# every precision with one family, and every family with one precision
@pytest.mark.parametrize(
    ("precision", "family"), [*((each, "hmst_ctc") for each in HALF), *(("bf16", each) for each in FAMILIES[2:])]
)
def test_it_goes_on_to_the_bit_as_if_it_had_not_stopped(precision, family, toy_data_bin, tmp_path):
    config = training_config(toy_data_bin, family, *OPTIONS)
    whole = make_trainer(config, precision)
    make_updates(whole, 0, INTERRUPTED)
    checkpoint = save(whole, tmp_path / "checkpoint.pt")
    expected = make_updates(whole, INTERRUPTED, END)
    resumed = make_trainer(config, precision)
    resumed.load_checkpoint(str(checkpoint))
    assert make_updates(resumed, INTERRUPTED, END) == expected
    assert equal(weights_of(resumed), weights_of(whole))
    assert equal(averages_of(resumed), averages_of(whole))
    if precision.endswith("fp16"):
        assert len(set(expected.loss_scales)) > 1


def test_an_average_of_checkpoints_is_not_undone_by_the_float32_weights_of_the_first(toy_data_bin, tmp_path):
    config = training_config(toy_data_bin, "hmst_ctc")
    trainer = make_trainer(config, "bf16")
    paths = []
    for first in (0, 2):
        make_updates(trainer, first, first + 2)
        paths.append(save(trainer, tmp_path / f"{first}.pt"))
    average = average_checkpoints(paths)
    torch.save(average, tmp_path / "average.pt")
    resumed = make_trainer(config, "bf16")
    resumed.load_checkpoint(str(tmp_path / "average.pt"))
    assert equal(weights_of(resumed), {name: weight.bfloat16() for name, weight in average["model"].items()})
    for weight, master in zip(resumed.optimizer.fp16_params, resumed.optimizer.fp32_params, strict=True):
        assert torch.equal(master.bfloat16(), weight)  # which each update begins with


def test_moving_averages_follow_weights_of_half_precision(toy_data_bin):
    """fairseq's own, without --ema-fp32, stay where they began: 0.9999 times a number rounds to that number."""
    options = ("--store-ema", "--ema-fp32", "--ema-decay", 0.9)
    found = {}
    for precision in ("float32", "bf16"):
        trainer = make_trainer(training_config(toy_data_bin, "hmst_aed", *options), precision)
        make_updates(trainer, 0, 6)
        found[precision] = averages_of(trainer) if precision == "bf16" else trainer.ema.get_model().state_dict()
    for name, average in found["float32"].items():
        assert torch.allclose(found["bf16"][name], average, atol=0.01), name


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_moving_averages_may_begin_at_a_checkpoint_without(precision, toy_data_bin, tmp_path):
    without, having = (training_config(toy_data_bin, "hmst_ctc", *more) for more in ((), OPTIONS))
    trainer = make_trainer(without, precision)
    make_updates(trainer, 0, 1)
    resumed = make_trainer(having, precision)
    resumed.load_checkpoint(str(save(trainer, tmp_path / "checkpoint.pt")))
    assert resumed.cfg.ema.store_ema
    make_updates(resumed, 1, 2)
    for name, average in averages_of(resumed).items():  # 0.9 and 0.1 of the same weight
        assert torch.allclose(average, weights_of(resumed)[name].float(), atol=1e-6), name


def test_a_checkpoint_of_fairseqs_own_optimizer_is_taken(toy_data_bin, tmp_path, monkeypatch):
    config = training_config(toy_data_bin, "hmst_ctc")
    with monkeypatch.context() as patch:
        patch.setattr(optimizers.optim, "FP16Optimizer", FP16Optimizer)
        trainer = make_trainer(config, "fp16")
        make_updates(trainer, 0, 2)
        checkpoint = save(trainer, tmp_path / "checkpoint.pt")
    resumed = make_trainer(config, "fp16")
    resumed.load_checkpoint(str(checkpoint))
    make_updates(resumed, 2, 3)


def test_gradients_of_amp_are_divided_by_the_loss_scale_once(toy_data_bin, monkeypatch):
    """In float32, whose updates the loss scale must not change; fairseq divides twice, so that epsilon counts more."""
    config = training_config(toy_data_bin, "hmst_ctc", "--adam-eps", 0.001)
    monkeypatch.setattr(torch.cuda.amp, "autocast", lambda enabled: torch.autocast("cpu", enabled=False))
    expected, found = (make_updates(make_trainer(config, precision), 0, 3) for precision in ("float32", "amp"))
    assert found.losses == expected.losses
    monkeypatch.setattr(optimizers.optim, "AMPOptimizer", AMPOptimizer)
    assert make_updates(make_trainer(config, "amp"), 0, 3).losses != expected.losses


def test_apexs_optimizer_begins_each_update_in_bfloat16_with_a_factor_of_one(toy_data_bin):
    """It divides by the factor itself and leaves it, where others set it back."""
    trainer = make_trainer(training_config(toy_data_bin, "hmst_ctc"), "bf16")
    make_updates(trainer, 0, 1)
    trainer.optimizer.multiply_grads(0.5)
    trainer.zero_grad()
    trainer.optimizer.multiply_grads(0.25)
    assert trainer.optimizer._multiply_factor == 0.25
