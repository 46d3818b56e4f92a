"""The convolution for positions by Fourier transforms against that of transformers."""

import pytest
import torch
from transformers.models.wavlm.modeling_wavlm import WavLMPositionalConvEmbedding

from preprocess.speech.extractors.faster.positions import Positions


@pytest.mark.parametrize(("kernel", "groups"), [(16, 4), (128, 2), (9, 1), (1, 8)])
@torch.inference_mode()
def test_positions_equal_those_of_transformers(wavlm_config, shake, kernel: int, groups: int):
    wavlm_config.num_conv_pos_embeddings, wavlm_config.num_conv_pos_embedding_groups = kernel, groups
    module = shake(WavLMPositionalConvEmbedding(wavlm_config))
    positions = Positions(module)
    for num_frames in (1, 2, kernel, kernel + 1, kernel + 2, 2 * kernel, 300):
        hidden = torch.randn(3, num_frames, wavlm_config.hidden_size)
        found = positions(hidden)
        torch.testing.assert_close(found, module(hidden), rtol=1e-4, atol=2e-5)
        torch.testing.assert_close(positions(hidden[1:2]), found[1:2], rtol=1e-4, atol=2e-5)
