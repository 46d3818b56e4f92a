"""The joiner against its formula, and against the loss that takes it apart."""

import torch

from fairseq_hmst.losses.rnnt import fused_rnnt_loss, rnnt_loss
from fairseq_hmst.modules.joiner import Joiner


def build_joiner():
    torch.manual_seed(0)
    return Joiner(encoder_width=5, predictor_width=4, joint_width=6, num_labels=7)


def test_log_probs_are_the_formula_and_sum_to_one():
    joiner = build_joiner()
    encoder_states, predictor_states = torch.randn(3, 5), torch.randn(3, 4)
    found = joiner.log_probs(joiner.project_encoder(encoder_states), joiner.project_predictor(predictor_states))
    first, second, output = joiner.encoder_projection, joiner.predictor_projection, joiner.output
    hidden = torch.tanh(encoder_states @ first.weight.T + first.bias + predictor_states @ second.weight.T)
    expected = torch.log_softmax(hidden @ output.weight.T + output.bias, 1)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found.exp().sum(1), torch.ones(3))


def test_half_precision_gives_float32_log_probs():
    joiner = build_joiner().bfloat16()
    assert joiner.log_probs(torch.randn(2, 6).bfloat16(), torch.randn(2, 6).bfloat16()).dtype == torch.float32


def test_the_parts_given_to_the_fused_loss_equal_the_loss_of_all_log_probs():
    joiner = build_joiner()
    encoder_out = joiner.project_encoder(torch.randn(2, 4, 5))
    predictor_out = joiner.project_predictor(torch.randn(2, 4, 4))
    more = (torch.tensor([[3, 4, 5], [6, 1, 1]]), torch.tensor([4, 2]), torch.tensor([3, 1]), 0)
    everywhere = joiner.log_probs(encoder_out.unsqueeze(2), predictor_out.unsqueeze(1))
    found = fused_rnnt_loss(encoder_out, predictor_out, joiner.output.weight, joiner.output.bias, *more)
    torch.testing.assert_close(found, rnnt_loss(everywhere, *more), atol=1e-5, rtol=1e-5)
