"""Updates on the GPU that is not there (`second_device.py`), to be compared with those of the CPU."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import torch
from fairseq import utils
from fairseq.dataclass.configs import FairseqConfig
from fairseq.logging import metrics
from fairseq.optim.adam import FairseqAdamConfig
from fairseq.optim.lr_scheduler.fixed_schedule import FixedLRScheduleConfig
from fairseq.trainer import Trainer
from omegaconf import OmegaConf
from second_device import DEVICE, SecondDevice, second_device
from toy import batch_of, build_criterion, build_model

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
SMALL |= {"source_ctc_layer": 1, "predictor_dim": 16, "joint_dim": 16, "dropout": 0.0}
ROWS = {"train": (0, 1, 2, 3, 10, 300, 301), "valid": (0, 1, 2, 3, 4, 21, 22)}  # both streams, some without transcript
FAMILIES = {
    "hmst_aed": "bf16",
    "hmst_ctc": "amp",
    "hmst_ctc_attention": "fp16",
    "hmst_transducer": "fp16",
}  # and a precision
ANSWERS = {  # what fairseq's trainer asks of CUDA
    "is_available": True,
    "current_device": 0,
    "get_device_capability": (9, 0),
    "get_rng_state": None,
    "max_memory_allocated": 0,
    "reset_peak_memory_stats": None,
}


@dataclass(frozen=True)
class Case:
    """A training.

    Attributes:
        family: name of an architecture without its size.
        model: options of the model.
        criterion: options of hmst_joint.
    """

    family: str
    model: dict[str, object] = field(default_factory=dict)
    criterion: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.family, *(f"{name}={value}" for name, value in (self.model | self.criterion).items())])

    def build(self, task: Any) -> tuple[torch.nn.Module, torch.nn.Module]:
        """A model, always of the same weights, in training mode, and the criterion."""
        model = build_model(task, f"{self.family}_tiny", **SMALL | self.model)
        return model.train(), build_criterion(task, **self.criterion)


@dataclass
class Pass:
    """A forward and a backward pass of a batch.

    Attributes:
        logged: what the criterion logs, the loss among it.
        gradients: of all weights, (N,) float32 on the CPU.
        waits: lines of code, of this package and of fairseq, that wait for the GPU or send something there.
    """

    logged: dict[str, float]
    gradients: torch.Tensor
    waits: set[str] = field(default_factory=set)

    def check_near(self, expected: "Pass", tolerance: float) -> None:
        """Fail where a number that is logged differs by more than the tolerance, or the gradients by ten times that."""
        assert self.logged.keys() == expected.logged.keys()
        for name, value in expected.logged.items():
            assert abs(self.logged[name] - value) <= tolerance * max(1.0, abs(value)), name
        assert (self.gradients - expected.gradients).norm() <= 10 * tolerance * expected.gradients.norm()


def run_on_cpu(case: Case, task: Any) -> Pass:
    """A pass in float32; the task has text twins."""
    return _run(*case.build(task), batch_of(task, ROWS["train"], "train"))


def run_on_device(case: Case, task: Any, precision: str) -> Pass:
    """The same on the GPU; `precision` is the type of the weights, or `autocast` (that of --amp)."""
    model, criterion = case.build(task)
    is_autocast = precision == "autocast"
    with second_device() as gpu:
        model.to(DEVICE, torch.float32 if is_autocast else getattr(torch, precision))
        batch = utils.move_to_cuda(batch_of(task, ROWS["train"], "train"), device=DEVICE)
        gpu.reset()
        with torch.autocast(DEVICE.type, dtype=torch.float16, enabled=is_autocast):
            found = _run(model, criterion, batch)
        found.waits = {place for place in gpu.waits + gpu.uploads if place.startswith("fairseq")}
    return found


def _run(model: torch.nn.Module, criterion: torch.nn.Module, batch: Any) -> Pass:
    loss, _, logged = criterion(model, batch)
    loss.backward()
    gradients = [weights.grad.cpu().float().flatten() for weights in model.parameters() if weights.grad is not None]
    return Pass({name: float(value) for name, value in logged.items()}, torch.cat(gradients))


@contextlib.contextmanager
def training_device() -> Iterator[SecondDevice]:
    """The mode, and what fairseq's trainer is told of CUDA."""
    with contextlib.ExitStack() as stack:
        gpu = stack.enter_context(second_device())
        for name, answer in ANSWERS.items():
            stack.enter_context(mock.patch(f"torch.cuda.{name}", lambda *_, answer=answer: answer))
        stack.enter_context(mock.patch("torch.backends.cudnn.is_acceptable", lambda _: False))
        environment = stack.enter_context(mock.patch("fairseq.utils.CudaEnvironment"))
        environment.return_value.total_memory_in_GB = 80
        yield gpu


@dataclass
class Step:
    """An update or a validation by fairseq's trainer.

    Attributes:
        logged: what it returns.
        waits, uploads, operations: as those of `SecondDevice`.
    """

    logged: dict[str, float]
    waits: Counter[str]
    uploads: Counter[str]
    operations: int


def run_trainer(case: Case, task: Any, gpu: SecondDevice, **common: bool) -> list[Step]:
    """Two updates with the same batch, and a validation, by fairseq's trainer with its Adam.

    Args:
        case: what to train.
        task: with text twins.
        gpu: of `training_device()`, where it trains; outside of it, it trains on the CPU.
        common: fairseq's options of precision, such as fp16=True.
    """
    config = OmegaConf.structured(FairseqConfig)
    config.optimizer = OmegaConf.merge(OmegaConf.structured(FairseqAdamConfig), {"_name": "adam"})
    config.lr_scheduler = OmegaConf.merge(OmegaConf.structured(FixedLRScheduleConfig), {"_name": "fixed"})
    config.optimization.lr, config.optimization.clip_norm = [0.003], 2.0
    for name, value in common.items():
        config.common[name] = value
    metrics.reset()
    trainer = Trainer(config, task, *case.build(task))
    steps = []
    for split in ("train", "train", "valid"):
        batch = batch_of(task, ROWS[split], split)
        gpu.reset()
        logged = trainer.train_step([batch]) if split == "train" else trainer.valid_step(batch)
        steps.append(Step(logged, Counter(gpu.waits), Counter(gpu.uploads), gpu.operations))
    return steps
