"""Random batches for the tests of the RNN-T losses, and comparisons of losses with their gradients."""

import pytest
import torch

from fairseq_hmst.losses.rnnt import fused_rnnt_loss, rnnt_loss

BLANK = 0


def random_batch(num_utterances, num_steps, num_labels, vocabulary, width, dtype=torch.float64, seed=0):
    """Four joiner tensors that require gradients, targets, and lengths of which the first and last are full."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()

    def lengths(low, high):
        drawn = torch.randint(low, high + 1, (num_utterances,), generator=generator)
        drawn[0] = high
        return drawn

    tensors = (
        normal(num_utterances, num_steps, width),
        normal(num_utterances, num_labels + 1, width),
        normal(vocabulary, width),
        normal(vocabulary),
    )
    targets = torch.randint(1, max(vocabulary, 2), (num_utterances, num_labels), generator=generator)
    return tensors, (targets, lengths(1, num_steps), lengths(0, num_labels).flip(0), BLANK)


def joint_logits(encoder_out, predictor_out, weight, bias):
    return torch.tanh(encoder_out[:, :, None] + predictor_out[:, None]) @ weight.t() + bias


def unfused_rnnt_loss(encoder_out, predictor_out, weight, bias, *labels, **named_labels):
    return rnnt_loss(joint_logits(encoder_out, predictor_out, weight, bias), *labels, **named_labels)


def losses_and_gradients(loss_function, tensors, *arguments, **options):
    """Losses and the gradients of a sum in which every utterance has a weight of its own."""
    losses = loss_function(*tensors, *arguments, **options)
    weights = torch.arange(1, len(losses) + 1, dtype=losses.dtype)
    return losses.detach(), torch.autograd.grad((losses * weights).sum(), tensors)


def assert_same(left, right, **tolerances):
    torch.testing.assert_close(left[0], right[0], **tolerances)
    for one, other in zip(left[1], right[1], strict=True):
        torch.testing.assert_close(one, other, **tolerances)


BOTH_LOSSES = pytest.mark.parametrize("loss_function", [unfused_rnnt_loss, fused_rnnt_loss])
