"""Multiples of the learning rate: the truth are torch's own groups of parameters."""

import pytest
import torch
from fairseq import optim
from fairseq.dataclass.configs import FairseqConfig
from omegaconf import OmegaConf

import fairseq_hmst.plugin  # noqa: F401
from fairseq_hmst.training.scaled_updates import scaled_updates, set_lr_scale

LR, SCALE = 0.01, 3.0


def make_parameters(dtype: torch.dtype = torch.float32) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(4, 3, generator=generator).to(dtype)) for _ in range(2)]


def make_config(**common: object):
    """fairseq's configuration with Adam."""
    config = OmegaConf.structured(FairseqConfig)
    options = {"adam_betas": "(0.9, 0.999)", "adam_eps": 1e-8, "weight_decay": 0.1, "lr": [LR], "tpu": False}
    config.optimizer = options | {"_name": "adam", "use_old_adam": False, "fp16_adam_stats": False}
    config.common = OmegaConf.merge(config.common, common)
    config.distributed_training.distributed_world_size = 1
    return config


def train(optimizer, parameters: list[torch.nn.Parameter]) -> None:
    for step in range(3):
        optimizer.zero_grad()
        for number, parameter in enumerate(parameters):
            parameter.grad = torch.full_like(parameter, 0.1 * (step + 1 + number))
        with scaled_updates(optimizer, parameters):
            optimizer.step()


def test_a_multiple_of_the_learning_rate_is_that_of_a_group_of_torch():
    found, expected = make_parameters(), make_parameters()
    set_lr_scale(found[1:], SCALE)
    train(optim.build_optimizer(make_config().optimizer, found), found)
    groups = [{"params": expected[:1]}, {"params": expected[1:], "lr": SCALE * LR}]
    reference = torch.optim.AdamW(groups, lr=LR, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
    for step in range(3):
        for number, parameter in enumerate(expected):
            parameter.grad = torch.full_like(parameter, 0.1 * (step + 1 + number))
        reference.step()
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("no_flatten", [False, True])
def test_half_precision_steps_its_float32_weights(no_flatten):
    plain, scaled = make_parameters(torch.bfloat16), make_parameters(torch.bfloat16)
    set_lr_scale(scaled[1:], SCALE)
    masters = []
    for parameters in (plain, scaled):
        config = make_config(bf16=True, fp16_no_flatten_grads=no_flatten)
        optimizer = optim.FP16Optimizer.build_optimizer(config, parameters)
        start = [master.clone() for _, master in optimizer.weights()]
        optimizer.zero_grad()
        optimizer.backward(sum(parameter.float().sum() for parameter in parameters))
        with scaled_updates(optimizer, parameters):
            optimizer.step()
        steps = [master - before for (_, master), before in zip(optimizer.weights(), start, strict=True)]
        masters.append(steps)
        for parameter, (_, master) in zip(parameters, optimizer.weights(), strict=True):
            assert torch.equal(parameter, master.to(torch.bfloat16))
    torch.testing.assert_close(masters[1][0], masters[0][0])
    torch.testing.assert_close(masters[1][1], SCALE * masters[0][1], atol=1e-6, rtol=1e-4)
