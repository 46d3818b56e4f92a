"""Second derivatives of the losses: an error whichever way they are asked for."""

import pytest
import torch
from rnnt_batches import fused_rnnt_loss, random_batch, unfused_rnnt_loss

from fairseq_hmst.losses.ctc_loss import ctc_loss


def ctc_of_joiner(encoder_out, predictor_out, weight, bias, targets, _source_lengths, target_lengths, blank_index):
    log_probs = (encoder_out @ weight.t() + bias + predictor_out.mean()).log_softmax(-1)
    full = torch.full_like(target_lengths, encoder_out.shape[1])
    return ctc_loss(log_probs, targets, full, target_lengths, blank_index)


ALL_LOSSES = pytest.mark.parametrize("loss_function", [unfused_rnnt_loss, fused_rnnt_loss, ctc_of_joiner])
REFUSED = pytest.raises(RuntimeError, match="no second derivative|derivative for aten::_ctc_loss_backward is not impl")


def batch():
    return random_batch(2, 6, 2, vocabulary=5, width=3)


@ALL_LOSSES
def test_gradients_with_a_graph_are_those_without(loss_function):
    tensors, labels = batch()
    expected = torch.autograd.grad(loss_function(*tensors, *labels).sum(), tensors)
    found = torch.autograd.grad(loss_function(*tensors, *labels).sum(), tensors, create_graph=True)
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


@ALL_LOSSES
@pytest.mark.parametrize("which", range(4))
def test_a_gradient_penalty_is_refused(loss_function, which):
    tensors, labels = batch()
    loss = loss_function(*tensors, *labels).sum()
    (gradient,) = torch.autograd.grad(loss, tensors[which], create_graph=True)
    with REFUSED:
        (gradient.square().sum() + sum(tensor.square().sum() for tensor in tensors)).backward()


@ALL_LOSSES
@pytest.mark.parametrize("which", range(4))
def test_a_gradient_penalty_is_refused_towards_each_input_that_is_asked_for(loss_function, which):
    tensors, labels = batch()
    gradients = torch.autograd.grad(loss_function(*tensors, *labels).sum(), tensors, create_graph=True)
    for gradient in gradients:
        with REFUSED:
            torch.autograd.grad(gradient.sum() + tensors[which].sum(), tensors[which], retain_graph=True)


@ALL_LOSSES
def test_a_gradient_penalty_is_refused_where_one_input_alone_is_learnt(loss_function):
    for which in range(4):
        tensors, labels = batch()
        alone = [tensor.detach().requires_grad_(place == which) for place, tensor in enumerate(tensors)]
        (gradient,) = torch.autograd.grad(loss_function(*alone, *labels).sum(), alone[which], create_graph=True)
        with REFUSED:
            (gradient.square().sum() + alone[which].sum()).backward()


@ALL_LOSSES
def test_a_weighted_loss_has_no_derivative_of_its_gradient_by_the_weights_either(loss_function):
    tensors, labels = batch()
    weights = torch.ones(2, requires_grad=True)
    (gradient,) = torch.autograd.grad((loss_function(*tensors, *labels) * weights).sum(), tensors[0], create_graph=True)
    with REFUSED:
        torch.autograd.grad(gradient.sum() + weights.sum(), weights)


@ALL_LOSSES
def test_a_hessian_is_refused(loss_function):
    tensors, labels = batch()
    with REFUSED:
        torch.autograd.functional.hessian(
            lambda bias: loss_function(*(tensor.detach() for tensor in tensors[:3]), bias, *labels).sum(),
            tensors[3].detach(),
        )


@pytest.mark.parametrize("loss_function", [unfused_rnnt_loss, fused_rnnt_loss])
@pytest.mark.parametrize("derivative", [torch.func.hessian, torch.func.jacfwd, torch.func.grad])
def test_transforms_of_functions_are_refused(loss_function, derivative):
    tensors, labels = batch()
    with pytest.raises(RuntimeError):
        derivative(lambda bias: loss_function(*tensors[:3], bias, *labels).sum())(tensors[3].detach())
