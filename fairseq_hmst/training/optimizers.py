"""fairseq's optimizers of half precision, whose trainings go on from a checkpoint to the bit.

They compute with float32 weights and a loss scale, of which fairseq's checkpoints hold neither the weights nor when the
scale changed last.
"""

from collections.abc import Iterator
from typing import Any

import torch
from fairseq import optim
from fairseq.optim.dynamic_loss_scaler import DynamicLossScaler
from torch import Tensor

MASTER_WEIGHTS = "master_weights"  # in a state: float32 weights, one tensor a parameter
SCALER = "scaler"  # in a state: what the loss scale depends on
SCALER_COUNTS = ("_iter", "_last_overflow_iter", "_last_rescale_iter", "_overflows_since_rescale")

State = dict[str, Any]  # of an optimizer of torch, and more


class FP16Optimizer(optim.FP16Optimizer):
    """The optimizer of --fp16 and --bf16; its state holds the float32 weights as well."""

    def state_dict(self) -> State:
        """The state with float32 weights and what the loss scale depends on."""
        masters = [master for _, master in self.weights()]
        return super().state_dict() | {MASTER_WEIGHTS: masters} | _scaler_state(self.scaler)

    def load_state_dict(self, state_dict: State, optimizer_overrides: State | None = None) -> None:
        """Load a state; a float32 weight of it holds where it rounds to the weight that the model was given."""
        super().load_state_dict(state_dict, optimizer_overrides)
        _load_scaler_state(self.scaler, state_dict)
        if MASTER_WEIGHTS not in state_dict:  # fairseq's own
            return
        for kept, (weight, master) in zip(state_dict[MASTER_WEIGHTS], self.weights(), strict=True):
            kept = kept.to(master)
            # another weight is that of an average of checkpoints, which has the state of one of them
            master.copy_(torch.where(kept.to(weight) == weight, kept, master))

    def zero_grad(self) -> None:
        """Forget gradients, and the factor that apex's optimizer leaves behind where there is no loss scale."""
        super().zero_grad()
        if self.scaler is None:
            self._multiply_factor = 1.0

    def weights(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Each parameter of the model with its float32 weights, both without gradients."""
        parameters = [parameter.data for parameter in self.fp16_params]
        if not self.has_flat_params:
            yield from zip(parameters, (master.data for master in self.fp32_params), strict=True)
            return
        (flat,) = self.fp32_params.values()  # by device
        for parameter, master in zip(parameters, flat.data.split([each.numel() for each in parameters]), strict=True):
            yield parameter, master.view_as(parameter)


class MemoryEfficientFP16Optimizer(optim.MemoryEfficientFP16Optimizer):
    """The optimizer of --memory-efficient-fp16 and --memory-efficient-bf16, which has no float32 weights."""

    def state_dict(self) -> State:
        """The state with what the loss scale depends on."""
        return super().state_dict() | _scaler_state(self.scaler)

    def load_state_dict(self, state_dict: State, optimizer_overrides: State | None = None) -> None:
        """Load a state."""
        super().load_state_dict(state_dict, optimizer_overrides)
        _load_scaler_state(self.scaler, state_dict)


class AMPOptimizer(optim.AMPOptimizer):
    """The optimizer of --amp; its state holds the loss scale as well."""

    def state_dict(self) -> State:
        """The state with the loss scale."""
        return super().state_dict() | {SCALER: self.scaler.state_dict()}

    def load_state_dict(self, state_dict: State, optimizer_overrides: State | None = None) -> None:
        """Load a state."""
        super().load_state_dict(state_dict, optimizer_overrides)
        if SCALER in state_dict:
            self.scaler.load_state_dict(state_dict[SCALER])

    def step(self) -> None:
        """Make an update of gradients without the loss scale.

        fairseq gives torch its own wrapper, of which torch does not know that it divided its gradients already, and
        divides them again: after some thousand updates Adam's epsilon is all that is left of them.
        """
        self.scaler.step(self.optimizer)
        self.scaler.update()


def _scaler_state(scaler: DynamicLossScaler | None) -> State:
    return {} if scaler is None else {SCALER: {name: getattr(scaler, name) for name in SCALER_COUNTS}}


def _load_scaler_state(scaler: DynamicLossScaler | None, state: State) -> None:
    if scaler is not None:
        for name, value in state.get(SCALER, {}).items():
            setattr(scaler, name, value)


# where fairseq's trainer looks them up; a checkpoint has their names
optim.FP16Optimizer = FP16Optimizer
optim.MemoryEfficientFP16Optimizer = MemoryEfficientFP16Optimizer
optim.AMPOptimizer = AMPOptimizer
