"""Gradients under --fp16: none outgrows half precision at the start of a training, so that no update is skipped."""

import pytest
import torch
from fairseq.dataclass.configs import CommonConfig
from toy import batch_of, build_criterion, build_model

SIZES = {"embed_dim": 32, "ffn_embed_dim": 64, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
SIZES |= {"predictor_dim": 32, "joint_dim": 32}
HIERARCHICAL = SIZES | {"source_ctc_layer": 1}
MAX_TOKENS = 20000


@pytest.mark.parametrize(
    ("architecture", "sizes"),
    [
        ("hmst_aed_tiny", SIZES),
        ("hmst_ctc_tiny", HIERARCHICAL),
        ("hmst_ctc_attention_tiny", HIERARCHICAL),
        ("hmst_transducer_tiny", HIERARCHICAL),
    ],
)
def test_gradients_of_20000_tokens_fit_in_float16_at_fairseqs_first_loss_scale(toy_task, architecture, sizes):
    model = build_model(toy_task, architecture, **sizes)
    batch = batch_of(toy_task, [*range(200), *range(300, 500)], "train")
    loss, _, _ = build_criterion(toy_task)(model, batch)
    loss.backward()
    # fairseq keeps the sum over all examples in half precision, times the scale, until it divides by the sample size
    largest = max(weight.grad.abs().max().item() for weight in model.parameters() if weight.grad is not None)
    of_a_full_batch = largest * MAX_TOKENS / batch["net_input"]["src_lengths"].sum().item()
    assert of_a_full_batch * CommonConfig.fp16_init_scale < torch.finfo(torch.float16).max
