"""Trainings that meet NaN: the message says the update, the stream, the examples and what to try."""

import logging

import pytest
import torch
from fairseq.optim.dynamic_loss_scaler import DynamicLossScaler
from prompt_models import train_here

from fairseq_hmst.command.train.failure import explain_failure
from fairseq_hmst.criterions.joint_criterion import JointCriterion
from fairseq_hmst.training.failed_updates import UpdateReport, explain
from preprocess.errors import NotFiniteError

forward = JointCriterion.forward


def poisoned(stream: int, loss: float = 1.0, gradient: float = 1.0):
    """A criterion whose loss and gradients are multiplied, of batches that hold this stream."""

    def changed(self, model, sample):
        found, size, logged = forward(self, model, sample)
        if stream in sample["stream"].tolist():
            found = Poison.apply(found, loss, gradient)
            logged["loss"] = found.detach()
            logged[f"{('st', 'mt')[stream]}_loss"] *= loss
        return found, size, logged

    return changed


class Poison(torch.autograd.Function):
    @staticmethod
    def forward(context, value, loss, gradient):
        context.gradient = gradient
        return value * loss

    @staticmethod
    def backward(context, gradient):
        return gradient * context.gradient, None, None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": torch.nan}, "^update 1: the loss of mt is NaN or infinite; the batch has train.mt '"),
        ({"gradient": torch.nan}, "^update 1: gradients are NaN or infinite, though the loss is not; the batch has tr"),
    ],
)
def test_nan_names_update_stream_and_examples(prompt_data_bin, tmp_path, monkeypatch, change, message):
    monkeypatch.setattr(JointCriterion, "forward", poisoned(1, **change))
    with pytest.raises(NotFiniteError, match=message) as caught:
        train_here(prompt_data_bin, tmp_path, "hmst_aed", 2)
    assert "try a lower --lr, a longer --warmup-updates, --clip-norm 1" in caught.value.advice
    ids = [line.split("\t")[0] for line in (prompt_data_bin / "train.mt.origin.tsv").read_text().splitlines()[1:]]
    assert any(f"'{name}'" in caught.value.found for name in ids)
    assert not (tmp_path / "checkpoint_last.pt").exists()


def test_a_training_that_explodes_ends_with_the_message(prompt_data_bin, tmp_path, caplog):
    with pytest.raises(NotFiniteError, match=r"^update \d: ") as caught, caplog.at_level(logging.INFO):
        train_here(prompt_data_bin, tmp_path, "hmst_ctc", 9, "--lr", "1e30")
    assert "examples of update " in caplog.text
    # the last line of the traceback, as the log of `hmst train` has it
    line = f"preprocess.errors.NotFiniteError: {caught.value}"
    assert explain_failure(["Traceback", line], 1) == str(caught.value)


def test_the_loss_scale_at_its_minimum_is_explained():
    with pytest.raises(FloatingPointError) as error:
        DynamicLossScaler(init_scale=1e-4).check_overflow(torch.inf)
    found = explain([UpdateReport(examples={"train.st": ["a", "b"]})], str(error.value), is_half=True)
    assert "loss scale of float16 has reached its minimum" in found.found
    assert "the batch has train.st 'a', 'b'" in found.found
    assert "--bf16 in place of --fp16" in found.advice


def test_of_several_processes_the_one_with_the_nan_is_named():
    reports = [
        UpdateReport(examples={"train.st": ["good"]}),
        UpdateReport(bad_streams=["st"], bad_examples={"train.st": ["bad"]}, examples={"train.st": ["bad"]}),
    ]
    found = str(explain(reports, "gradients are Nan/Inf", is_half=False))
    assert "the loss of st is NaN or infinite; the batch has train.st 'bad'" in found
    assert "good" not in found
    assert "--bf16" not in found


def test_weights_that_were_lost_before_are_named(prompt_data_bin, tmp_path, monkeypatch):
    from fairseq_hmst.training import failed_updates

    def lose(trainer, samples, raise_oom=False):
        with torch.no_grad():
            trainer.get_model().ctc_head.projection.weight[3] = torch.nan
        return step(trainer, samples, raise_oom=raise_oom)

    step = failed_updates._fairseq_train_step
    monkeypatch.setattr(failed_updates, "_fairseq_train_step", lose)
    with pytest.raises(NotFiniteError, match="update 1: the model has lost its weights before: ctc_head.projection.we"):
        train_here(prompt_data_bin, tmp_path, "hmst_ctc", 1)
