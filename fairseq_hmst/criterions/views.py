"""Two views of one example, and how far a model's outputs for them differ; joint_criterion.py weights them.

The views are two copies under dropout masks of their own (R-drop), or speech and its text twin (consistency).
"""

import dataclasses
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from ..losses.consistency import symmetric_kl
from .head_losses import HeadLosses, chosen_rows, spread

if TYPE_CHECKING:
    from ..data.batch import Batch


def copies_of_batch(sample: "Batch", num_copies: int) -> "Batch":
    """The rows of a batch `num_copies` times, one batch after the other; each row's twin is that of its own copy.

    Counts of the batch stay those of one copy.
    """
    if num_copies == 1:
        return sample

    def copies(value: object) -> object:
        if isinstance(value, dict):
            return {name: copies(item) for name, item in value.items()}
        return torch.cat([value] * num_copies) if isinstance(value, Tensor) else value

    twin = sample["twin"]
    first_rows = torch.arange(num_copies, device=twin.device).repeat_interleave(len(twin)) * len(twin)
    twins = twin.repeat(num_copies)
    copied = cast("Batch", copies(sample))
    copied["twin"] = torch.where(twins < 0, twins, twins + first_rows)
    if "on_host" in sample:
        on_host = sample["on_host"]
        copied["on_host"] = dataclasses.replace(on_host, batch=copies_of_batch(on_host.batch, num_copies))
    return copied


def divergence_of_copies(heads: HeadLosses, weights: dict[str, float]) -> Tensor:
    """Divergence between the two copies of each example, (2B,), the same for both: weighted mean over the heads.

    Args:
        heads: of `copies_of_batch(sample, 2)`.
        weights: of the heads, which sum to 1.

    Raises:
        ValueError: there is a transducer among the heads.
    """
    if "transducer" in heads.losses:
        raise ValueError(
            "--rdrop-weight compares all that a head predicts, which a transducer never builds: it serves models that "
            f"have attention and CTC heads alone; this model has: {', '.join(heads.losses)}"
        )
    divergences = []
    for head, (log_probs, padding_mask, rows) in heads.distributions.items():
        half = len(rows) // 2  # heads choose rows by what is the same for both copies
        found = symmetric_kl(log_probs[:half], log_probs[half:], padding_mask[:half])
        divergences.append(weights[head] * spread(found.repeat(2), rows, len(heads.num_tokens)))
    return torch.stack(divergences).sum(0)


def divergence_of_twins(heads: HeadLosses, weights: dict[str, float]) -> Tensor:
    """Divergence between each example and its twin, (B,), by the attention decoder; 0 where it has none.

    Args:
        heads: of a batch in which an example and its twin have the same target.
        weights: of the heads.

    Raises:
        ValueError: there is no attention decoder, or its weight is 0.
    """
    if "attention" not in heads.distributions:
        raise ValueError(
            "--consistency-weight compares what the attention decoder writes; this model has: "
            f"{', '.join(heads.losses)}"
        )
    if weights["attention"] == 0:
        raise ValueError("--consistency-weight has no effect with --attention-weight 0")
    twin = heads.batch["twin"]
    rows = chosen_rows(twin >= 0, int((heads.on_host["twin"] >= 0).sum()))
    log_probs, padding_mask, _ = heads.distributions["attention"]
    divergences = symmetric_kl(log_probs[rows], log_probs[twin[rows]], padding_mask[rows])
    return spread(divergences, rows, len(twin))
