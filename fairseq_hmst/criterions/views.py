"""Two views of one example, and how far a model's outputs for them differ; joint_criterion.py weights them.

The views are two copies under dropout masks of their own (R-drop), and with inputs of their own where the task varies
them, or speech and its text twin (consistency).
"""

import dataclasses
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from ..losses.consistency import symmetric_kl
from .head_losses import HeadLosses, chosen_rows, spread

if TYPE_CHECKING:
    from ..data.batch import Batch, NetInput

CTC_HEADS = ("ctc", "source_ctc")
PADDING = 1  # fairseq's id in every dictionary


def copies_of_batch(sample: "Batch", num_copies: int) -> "Batch":
    """The rows of a batch `num_copies` times, one batch after the other; each row's twin is that of its own copy.

    Where rows have a second view, it is the input of the second copy. Counts of the batch stay those of one copy.
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
    if "second_view" in sample:
        _replace_second_copy(copied["net_input"], sample["net_input"], sample["second_view"])
    if "on_host" in sample:
        on_host = sample["on_host"]
        copied["on_host"] = dataclasses.replace(on_host, batch=copies_of_batch(on_host.batch, num_copies))
    return copied


def _replace_second_copy(copied: "NetInput", first: "NetInput", second: "NetInput") -> None:
    """Give the second copy of the rows its own inputs; both are padded to the length of the longer ones."""
    sides = [first["src_tokens"], second["src_tokens"]]
    width = max(side.size(1) for side in sides)
    padding = [width - side.size(1) for side in sides]
    padded = [nn.functional.pad(side, (0, more), value=PADDING) for side, more in zip(sides, padding, strict=True)]
    copied["src_tokens"] = torch.cat(padded)
    copied["src_lengths"] = torch.cat([first["src_lengths"], second["src_lengths"]])


def divergence_of_copies(heads: HeadLosses, weights: dict[str, float]) -> tuple[Tensor, Tensor]:
    """Divergence between the two copies of each example, (2B,), the same for both: weighted mean over the heads.

    Args:
        heads: of `copies_of_batch(sample, 2)`; no transducer among them, which never builds all that it predicts.
        weights: of the heads, which sum to 1.

    Returns:
        that of all heads, and the part of the CTC heads in it.
    """
    divergences, of_ctc = [], [torch.zeros_like(next(iter(heads.losses.values())))]
    for head, (log_probs, padding_mask, rows) in heads.distributions.items():
        half = len(rows) // 2  # heads choose rows by what is the same for both copies
        both, is_none = (log_probs[:half], log_probs[half:]), padding_mask[:half]
        if head in CTC_HEADS and "shared_steps" in heads.batch:
            both, is_none = _at_shared_steps(*both, heads.batch["shared_steps"][rows[:half]])
        found = symmetric_kl(*both, is_none)
        divergences.append(weights[head] * spread(found.repeat(2), rows, len(heads.num_tokens)))
        of_ctc += divergences[-1:] if head in CTC_HEADS else []
    return torch.stack(divergences).sum(0), torch.stack(of_ctc).sum(0)


def _at_shared_steps(log_probs: Tensor, other: Tensor, steps: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Both views at the steps (B, N, 2) that have a part in common: (B, N, V) each, and where there is none (B, N)."""
    chosen = steps.clamp(min=0)
    rows = torch.arange(len(steps), device=steps.device).unsqueeze(1)
    return (log_probs[rows, chosen[..., 0]], other[rows, chosen[..., 1]]), steps[..., 0] < 0


def divergence_of_twins(heads: HeadLosses) -> Tensor:
    """Divergence between each example and its twin, (B,), by the attention decoder; 0 where it has none.

    Args:
        heads: of a batch in which an example and its twin have the same target; an attention decoder among them.
    """
    twin = heads.batch["twin"]
    rows = chosen_rows(twin >= 0, int((heads.on_host["twin"] >= 0).sum()))
    log_probs, padding_mask, _ = heads.distributions["attention"]
    divergences = symmetric_kl(log_probs[rows], log_probs[twin[rows]], padding_mask[rows])
    return spread(divergences, rows, len(twin))
