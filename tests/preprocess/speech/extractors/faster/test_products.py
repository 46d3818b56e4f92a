"""Products in oneDNN's order, and as on other devices, against torch's."""

import pytest
import torch
from transformers.models.wavlm.modeling_wavlm import WavLMFeedForward

from preprocess.speech.extractors.faster.products import FeedForward, Linear, Product


@pytest.fixture(params=[True, False], ids=["packed", "as-it-is"])
def is_packed(request, monkeypatch) -> bool:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: request.param)
    return request.param


@pytest.mark.parametrize("shape", [(1,), (30,), (700,), (3, 17)])
@pytest.mark.parametrize("has_bias", [True, False])
@torch.inference_mode()
def test_a_product_equals_a_linear_layer_and_its_gelu(is_packed: bool, shape: tuple[int, ...], has_bias: bool):
    rows, weight = torch.randn(*shape, 40), torch.randn(70, 40)
    bias = torch.randn(70) if has_bias else None
    expected = torch.nn.functional.linear(rows, weight, bias)
    product = Product(weight, bias)
    assert product._weight.is_mkldnn == is_packed
    torch.testing.assert_close(product(rows), expected, rtol=1e-4, atol=1e-5)
    found = Product(weight, bias, gelu=True)(rows)
    torch.testing.assert_close(found, torch.nn.functional.gelu(expected), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_gelu_is_exact_in_its_tails(is_packed: bool):
    rows = torch.linspace(-12, 12, 10_000)[:, None]
    found = Product(torch.ones(1, 1), None, gelu=True)(rows)
    torch.testing.assert_close(found, torch.nn.functional.gelu(rows.double()).float(), rtol=1e-6, atol=1e-6)


@torch.inference_mode()
def test_linear_and_feed_forward_equal_those_of_transformers(is_packed: bool, wavlm_config, shake):
    module = shake(WavLMFeedForward(wavlm_config))
    hidden = torch.randn(2, 9, wavlm_config.hidden_size)
    torch.testing.assert_close(FeedForward(module)(hidden), module(hidden), rtol=1e-4, atol=1e-5)
    dense = module.intermediate_dense
    torch.testing.assert_close(Linear(dense)(hidden), dense(hidden), rtol=1e-4, atol=1e-5)
