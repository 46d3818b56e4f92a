"""Updates in half precision, of every family: near those in float32, none skipped, float32 where it must be."""

import math
from pathlib import Path

import pytest
import torch
from fairseq import utils
from fairseq.optim.dynamic_loss_scaler import DynamicLossScaler
from half_precision import PRECISIONS, Updates, Watch, cuda_stand_in, make_trainer, make_updates, training_config

from fairseq_hmst.criterions import head_losses
from fairseq_hmst.losses import rnnt
from fairseq_hmst.models.aed import AttentionDecoder
from fairseq_hmst.modules.conformer import ConvolutionModule

UPDATES = 4
# Greatest difference of a loss from float32's, in bits a token; found: at most 0.001 by amp, 0.002 by fp16, 0.008 by
# bf16, 0.022 by memory-efficient-bf16, whose weights are of bfloat16 alone.
BOUNDS = {"amp": 0.005, "fp16": 0.005, "fp16-no-flatten-grads": 0.005, "memory-efficient-fp16": 0.01}
BOUNDS |= {"bf16": 0.03, "memory-efficient-bf16": 0.06}
HALF = [precision for precision in PRECISIONS if precision != "float32"]
MAIN = ["fp16", "bf16", "amp"]
TWO_VIEWS = "--rdrop-weight 1 --consistency-weight 1"
CASES = {
    "aed": ("hmst_aed", "", HALF, {"log-probabilities"}),
    "ctc": ("hmst_ctc", "", HALF, {"log-probabilities", "CTC"}),
    "ctc/attention": ("hmst_ctc_attention", "", HALF, {"log-probabilities", "CTC"}),
    "transducer": ("hmst_transducer", "", HALF, {"log-probabilities", "CTC", "lattice"}),
    "two views": ("hmst_ctc_attention", TWO_VIEWS, MAIN, {"log-probabilities", "CTC"}),
    "conformer": ("hmst_ctc_attention", f"--encoder-type conformer {TWO_VIEWS}", MAIN, {"log-probabilities", "CTC"}),
    "stateless predictor": (
        *("hmst_transducer", "--encoder-type conformer --predictor stateless --target-ctc", MAIN),
        {"log-probabilities", "CTC", "lattice"},
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, toy_data_bin: Path):
    """Configuration, updates in float32, precisions to try, and what must be float32 in them."""
    family, options, precisions, sensitive = CASES[request.param]
    config = training_config(toy_data_bin, family, *options.split())
    with cuda_stand_in():
        expected = make_updates(make_trainer(config, "float32"), 0, UPDATES)
    return config, expected, precisions, sensitive


def check_updates(config, precision: str, expected: Updates, sensitive: set[str]) -> None:
    """Raise an error where an update in half precision is not what it should be."""
    watch = Watch()
    with cuda_stand_in():
        trainer = make_trainer(config, precision)
        with watch.watching(trainer.get_criterion()):
            first = make_updates(trainer, 0, 1)
        others = make_updates(trainer, 1, UPDATES)
    assert watch.seen == sensitive | {"loss"}
    assert watch.in_half == set()
    assert all(map(math.isfinite, first.gradient_norms + others.gradient_norms))
    assert first.losses + others.losses == pytest.approx(expected.losses, abs=BOUNDS[precision], rel=0)


def test_updates_are_near_those_in_float32(case):
    config, expected, precisions, sensitive = case
    for precision in precisions:
        check_updates(config, precision, expected, sensitive)


def mask_that_overflows(monkeypatch):
    def future_mask(decoder, states):
        return states.new_full((len(states), len(states)), -1e9).triu(1)

    monkeypatch.setattr(AttentionDecoder, "buffered_future_mask", future_mask)


def padding_that_overflows(monkeypatch):
    convolve = ConvolutionModule.forward

    def forward(module, x, padding_mask):
        if padding_mask is not None:
            at_padding = 1e5 * padding_mask.t().unsqueeze(-1).to(x.dtype)
            x = x + at_padding - at_padding
        return convolve(module, x, padding_mask)

    monkeypatch.setattr(ConvolutionModule, "forward", forward)


def log_probs_in_half(monkeypatch):
    monkeypatch.setattr(utils, "log_softmax", lambda logits, dim: torch.log_softmax(logits, dim).float())


def lattice_in_half(monkeypatch):
    of_joiner = rnnt.joiner_log_probs
    monkeypatch.setattr(rnnt, "joiner_log_probs", lambda *arguments: of_joiner(*arguments).to(arguments[0].dtype))


def loss_in_half(monkeypatch):
    cross_entropy = head_losses.label_smoothed_cross_entropy

    def in_half(*arguments):
        return tuple(value.to(torch.float16) for value in cross_entropy(*arguments))

    monkeypatch.setattr(head_losses, "label_smoothed_cross_entropy", in_half)


def gradients_that_overflow(monkeypatch):
    monkeypatch.setattr(DynamicLossScaler, "scale", lambda scaler, loss: 1e9 * scaler.loss_scale * loss)


FAULTS = [
    (mask_that_overflows, "hmst_aed", RuntimeError, "without overflow"),
    (padding_that_overflows, "hmst_ctc --encoder-type conformer", AssertionError, "was skipped"),
    (log_probs_in_half, "hmst_ctc", AssertionError, "log-probabilities"),
    (lattice_in_half, "hmst_transducer", AssertionError, "lattice"),
    (loss_in_half, "hmst_aed", AssertionError, "loss"),
    (gradients_that_overflow, "hmst_aed", AssertionError, "update 1 was skipped"),
]


@pytest.mark.parametrize(("plant", "options", "error", "message"), FAULTS, ids=[row[0].__name__ for row in FAULTS])
def test_a_planted_fault_is_found(plant, options, error, message, toy_data_bin, monkeypatch):
    family, *more = options.split()
    config = training_config(toy_data_bin, family, *more)
    plant(monkeypatch)
    with pytest.raises(error, match=message):
        check_updates(config, "fp16", Updates(), CASES[family.removeprefix("hmst_")][-1])
