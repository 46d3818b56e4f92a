"""Trainings in each precision by fairseq's own trainer and optimizers, on a CPU that stands in for a GPU.

torch's autocast of CPUs leaves more in half precision than that of GPUs, such as softmax and layer norm.
"""

import contextlib
import copy
import functools
import itertools
import unittest.mock
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from fairseq import tasks
from fairseq.dataclass.configs import FairseqConfig
from fairseq.logging import metrics
from fairseq.trainer import Trainer
from prompt_models import configuration
from torch.utils._python_dispatch import TorchDispatchMode

from fairseq_hmst.losses.rnnt_lattice import lattice_loss

PRECISIONS: dict[str, dict[str, bool]] = {
    "float32": {},
    "bf16": {"bf16": True},
    "memory-efficient-bf16": {"bf16": True, "memory_efficient_bf16": True},
    "fp16": {"fp16": True},
    "fp16-no-flatten-grads": {"fp16": True, "fp16_no_flatten_grads": True},
    "memory-efficient-fp16": {"fp16": True, "memory_efficient_fp16": True},
    "amp": {"amp": True},
}
SIZES = "--embed-dim 32 --ffn-embed-dim 64 --attention-heads 2 --encoder-layers 2"
OF_FAMILIES = {
    "hmst_aed": "--decoder-layers 1",
    "hmst_ctc": "--source-ctc-layer 1",
    "hmst_ctc_attention": "--decoder-layers 1 --source-ctc-layer 1",
    "hmst_transducer": "--source-ctc-layer 1 --predictor-dim 32 --joint-dim 32",
}
TRAINING = "--optimizer adam --lr 0.003 --clip-norm 2 --max-tokens 250 --required-batch-size-multiple 1 --dropout 0.1"
# operations of torch whose result must not be of half precision, and what they are of
SENSITIVE = {"_log_softmax": "log-probabilities", "_ctc_loss": "CTC"}


@contextlib.contextmanager
def cuda_stand_in() -> Iterator[None]:
    """Let fairseq's optimizers find what they look for on a GPU."""
    patch = unittest.mock.patch
    with (
        patch("torch.cuda.current_device", lambda: None),  # the number of the device of tensors on the CPU
        patch.object(torch.Tensor, "cuda", lambda tensor: tensor),
        patch("torch.cuda.amp.autocast", lambda enabled: torch.autocast("cpu", torch.float16, enabled=enabled)),
        patch("torch.cuda.amp.GradScaler", lambda **options: torch.amp.GradScaler("cpu", **options)),
        torch.backends.mkldnn.flags(enabled=False),  # its LSTM knows no autocast
    ):
        yield


class Watch(TorchDispatchMode):
    """What ran of SENSITIVE, and what of them, or of the results of a criterion, was of half precision."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.in_half: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = SENSITIVE.get(func.overloadpacket.__name__)
        if name is not None:
            self.note(name, result[0] if isinstance(result, tuple) else result)
        return result

    def note(self, name: str, value: object) -> None:
        """Note a value that must be float32, if it is a tensor of such numbers."""
        if torch.is_tensor(value) and value.is_floating_point():
            self.seen.add(name)
            if value.dtype not in (torch.float32, torch.float64):
                self.in_half.add(name)

    @contextlib.contextmanager
    def watching(self, criterion: torch.nn.Module) -> Iterator[None]:
        """Watch what runs, what the lattice is given and what a criterion gives; it takes more time than the rest."""

        def note_arguments(log_blank: torch.Tensor, log_label: torch.Tensor, positions: object) -> torch.Tensor:
            self.note("lattice", log_blank)
            self.note("lattice", log_label)
            return lattice_loss(log_blank, log_label, positions)

        def note_results(module: torch.nn.Module, arguments: object, results: tuple) -> None:
            loss, sample_size, logged = results
            for value in (loss, sample_size, *logged.values()):
                self.note("loss", value)

        hook = criterion.register_forward_hook(note_results)
        with self, unittest.mock.patch("fairseq_hmst.losses.rnnt.lattice_loss", note_arguments):
            yield
        hook.remove()


@dataclass
class Updates:
    """Some updates of a training, one value an update."""

    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    loss_scales: list[float] = field(default_factory=list)  # after the update; none where there is no scale


@functools.cache
def training_config(data_bin: Path, family: str, *more: object) -> FairseqConfig:
    """The configuration of a small training in float32, not to be changed; later options win."""
    options = f"--task hmst_translation --arch {family}_tiny --criterion hmst_joint {SIZES} {OF_FAMILIES[family]}"
    save_dir = data_bin.parent / "checkpoints"  # where fairseq puts a training that fails
    return configuration("training", data_bin, *f"{options} {TRAINING}".split(), "--save-dir", save_dir, *more)


def make_trainer(config: FairseqConfig, precision: str) -> Trainer:
    """A trainer with a model that is the same whatever the precision; use it within `cuda_stand_in`."""
    config = copy.deepcopy(config)
    for option, value in PRECISIONS[precision].items():
        config.common[option] = value
    task = tasks.setup_task(config.task)
    torch.manual_seed(0)
    model, criterion = task.build_model(config.model), task.build_criterion(config.criterion)
    task.load_dataset("train")
    metrics.reset()
    return Trainer(config, task, model, criterion)


def make_updates(trainer: Trainer, first: int, last: int) -> Updates:
    """Updates with the batches `first` to `last` - 1 of the first epoch; one that is skipped is an error."""
    updates, clip = Updates(), trainer.clip_grad_norm

    def clip_grad_norm(max_norm: float) -> torch.Tensor:
        norm = clip(max_norm)
        updates.gradient_norms.append(float(norm))
        return norm

    batches = trainer.get_train_iterator(epoch=1, load_dataset=False).next_epoch_itr(shuffle=True)
    with unittest.mock.patch.object(trainer, "clip_grad_norm", clip_grad_norm):
        for number, batch in enumerate(itertools.islice(batches, first, last), start=first + 1):
            logged = trainer.train_step([batch])
            assert logged is not None and trainer.get_num_updates() == number, f"update {number} was skipped"
            updates.losses.append(logged["loss"])
            updates.loss_scales.extend(_loss_scale(trainer))
    assert len(updates.losses) == last - first
    return updates


def save(trainer: Trainer, path: Path) -> Path:
    """Write a checkpoint of a training in its first epoch."""
    trainer.consolidate_optimizer()
    position = {"epoch": 1, "version": 2, "iterations_in_epoch": trainer.get_num_updates(), "shuffle": True}
    trainer.save_checkpoint(str(path), {"train_iterator": position})
    return path


def weights_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    """A copy of its model's weights."""
    return {name: weight.clone() for name, weight in trainer.get_model().state_dict().items()}


def _loss_scale(trainer: Trainer) -> Iterator[float]:
    scaler = getattr(trainer.optimizer, "scaler", None)
    if scaler is not None:
        yield float(scaler.get_scale() if hasattr(scaler, "get_scale") else scaler.loss_scale)
