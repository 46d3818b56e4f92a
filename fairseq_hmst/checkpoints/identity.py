"""Comparison of checkpoints: of the data that they were trained on, and of their architectures."""

from collections.abc import Mapping
from typing import Literal

from fairseq.models import ARCH_MODEL_REGISTRY

from .reading import CheckpointError, FairseqCheckpoint

FINGERPRINT: Literal["data_fingerprint"] = "data_fingerprint"  # of a TaskState
ONE_TRAINING = "give checkpoints of one training"
# of a model's options: without effect on what trained weights compute, or seen from their shapes
NOT_COMPARED = {"dropout", "attention_dropout", "activation_dropout"}
NOT_COMPARED |= {"init_from", "transfer_from", "finetune", "new_lr_scale"}
NOT_COMPARED |= {"max_source_positions", "max_target_positions"}
NOT_COMPARED |= {"conformer_kernel", "predictor_layers", "predictor_context"}
DEFAULT_ACTIVATION = {"transformer": "relu"}


def architecture_of(options: Mapping[str, object]) -> dict[str, str]:
    """Family and options that decide what a model's weights compute.

    Defaults that depend on others are filled in.

    Args:
        options: of a model, as fairseq keeps them in its checkpoints.
    """
    found = {name: value for name, value in options.items() if name not in NOT_COMPARED}
    for name in ("ffn_embed_dim", "attention_heads"):
        if found.get(f"decoder_{name}", "") is None:
            found[f"decoder_{name}"] = found.get(name)
    if found.get("activation_fn", "") is None:
        found["activation_fn"] = DEFAULT_ACTIVATION.get(str(found.get("encoder_type")))
    name = str(found.pop("_name", ""))
    family = getattr(ARCH_MODEL_REGISTRY.get(name), "family", name)  # that of hmst_aed_tiny is hmst_aed
    return {"family": family} | {name: str(value) for name, value in found.items()}


def differing_options(options: Mapping[str, object], others: Mapping[str, object]) -> str:
    """Differences of two architectures, such as `--attention-heads 4 and 8`; "" where there are none.

    What one of them does not name, as an older version does not, is not compared.
    """
    one, other = architecture_of(options), architecture_of(others)
    names = [name for name in one if name in other and one[name] != other[name]]
    return ", ".join(f"--{'arch' if n == 'family' else n.replace('_', '-')} {one[n]} and {other[n]}" for n in names)


def differing_files(fingerprint: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Files that define ids and whose content is not the same; what one of the two lacks is not compared."""
    return [name for name in fingerprint if name in other and fingerprint[name] != other[name]]


def check_alike(paths: tuple[object, object], checkpoints: tuple[FairseqCheckpoint, FairseqCheckpoint]) -> None:
    """Refuse two checkpoints of different data or architectures.

    Raises:
        CheckpointError: in what they differ.
    """
    place = f"{paths[1]} and {paths[0]}"
    fingerprints = [checkpoint.get("task_state", {}).get(FINGERPRINT, {}) for checkpoint in checkpoints]
    files = differing_files(*fingerprints)
    if files:
        raise CheckpointError(
            f"were trained on different data-bins: their {', '.join(files)} differ", place=place, advice=ONE_TRAINING
        )
    first, other = (checkpoint["cfg"]["model"] for checkpoint in checkpoints)
    options = differing_options(other, first)
    if options:
        raise CheckpointError(f"are different models: {options}", place=place, advice=ONE_TRAINING)
