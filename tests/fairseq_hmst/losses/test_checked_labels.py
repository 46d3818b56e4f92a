"""What the losses accept as labels and lengths, and what becomes of scores that are not numbers."""

import pytest
import torch
from rnnt_batches import BLANK, joint_logits, random_batch

from fairseq_hmst.losses.checked_labels import Labels
from fairseq_hmst.losses.ctc_loss import ctc_loss
from fairseq_hmst.losses.rnnt import fused_rnnt_loss, rnnt_loss

LABELS = {
    "targets": torch.tensor([[2, 3], [1, 1], [3, BLANK]]),
    "source_lengths": torch.tensor([6, 5, 4]),
    "target_lengths": torch.tensor([2, 2, 1]),
}
TENSORS, _ = random_batch(3, 6, 2, vocabulary=5, width=3)


def fused(labels, tensors=TENSORS, **options):
    return fused_rnnt_loss(*tensors, **{"blank_index": BLANK, **labels, **options})


def unfused(labels, tensors=TENSORS, **options):
    return rnnt_loss(joint_logits(*tensors), **{"blank_index": BLANK, **labels, **options})


def ctc(labels, tensors=TENSORS, **options):
    logits = tensors[0] @ tensors[2].t() + tensors[3]
    return ctc_loss(logits.log_softmax(-1), **{"blank_index": BLANK, **labels, **options})


ALL_LOSSES = pytest.mark.parametrize("loss_of", [fused, unfused, ctc])


@ALL_LOSSES
@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16, torch.int32])
def test_every_type_of_integers_serves(loss_of, dtype):
    labels = {name: tensor.to(dtype) for name, tensor in LABELS.items()}
    assert torch.equal(loss_of(labels), loss_of(LABELS))


@ALL_LOSSES
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool])
@pytest.mark.parametrize("name", list(LABELS))
def test_other_types_are_refused(loss_of, name, dtype):
    with pytest.raises(TypeError, match=f"{name} must be integers, got {dtype}"):
        loss_of(LABELS | {name: LABELS[name].to(dtype)})


@ALL_LOSSES
def test_a_blank_within_the_target_is_refused(loss_of):
    targets = LABELS["targets"].clone()
    targets[1, 1] = BLANK
    with pytest.raises(ValueError, match=r"targets\[1, 1\] is 0, expected a label in 0\.\.4 without the blank 0"):
        loss_of(LABELS | {"targets": targets})


@ALL_LOSSES
def test_what_follows_the_labels_may_be_anything(loss_of):
    targets = LABELS["targets"].clone()
    for filler in (-100, 10**9, 3):
        targets[2, 1] = filler
        assert torch.equal(loss_of(LABELS | {"targets": targets}), loss_of(LABELS))


@ALL_LOSSES
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": torch.tensor([1, 2, 3])}, r"targets must be \(B, U\)"),
        ({"targets": torch.ones(2, 2, dtype=torch.int64)}, r"targets must be \(B, U\)"),
        ({"source_lengths": torch.tensor([6, 5])}, r"source_lengths must be \(B,\) = \(3,\), got shape \(2,\)"),
        ({"target_lengths": torch.tensor([[2], [2], [1]])}, r"target_lengths must be \(B,\) = \(3,\), got .* \(3, 1\)"),
    ],
)
def test_shapes_that_disagree_are_refused(loss_of, change, message):
    with pytest.raises(ValueError, match=message):
        loss_of(LABELS | change)
    with pytest.raises(ValueError, match=message):
        loss_of(LABELS, on_host=Labels(**LABELS | change))


@ALL_LOSSES
def test_a_blank_outside_of_the_vocabulary_is_refused(loss_of):
    for blank_index in (-1, 5):
        with pytest.raises(ValueError, match=rf"blank_index must lie in 0\.\.4, got {blank_index}"):
            loss_of(LABELS, blank_index=blank_index)


@ALL_LOSSES
def test_not_a_number_stays_with_its_utterance(loss_of):
    expected = loss_of(LABELS)
    encoder_out = TENSORS[0].detach().clone()
    encoder_out[1, 2, 0] = torch.nan
    encoder_out.requires_grad_()
    losses = loss_of(LABELS, tensors=(encoder_out, *(tensor.detach() for tensor in TENSORS[1:])))
    assert losses.isnan().tolist() == [False, True, False]
    assert torch.equal(losses[[0, 2]], expected[[0, 2]])
    (gradient,) = torch.autograd.grad(losses.sum(), encoder_out)
    assert gradient.isnan().any(-1).any(-1).tolist() == [False, True, False]


@ALL_LOSSES
def test_an_infinite_logit_is_never_a_finite_loss(loss_of):
    bias = TENSORS[3].detach().clone()
    bias[1] = torch.inf  # a label of utterance 1
    assert not loss_of(LABELS, tensors=(*TENSORS[:3], bias)).isfinite().any()
    bias[1] = -torch.inf
    losses = loss_of(LABELS, tensors=(*TENSORS[:3], bias))
    assert losses.isfinite().tolist() == [True, False, True]
