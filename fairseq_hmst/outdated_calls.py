"""Calls of fairseq 0.12 to hydra and torch, of which today's versions warn in every run.

Its way to hydra is replaced when this is imported. The warnings of torch come from the middle of fairseq's functions;
just these are ignored, and only in commands: where fairseq was given this package by --user-dir, or a command of ours
calls fairseq; never in a program of a user that imports the library.
"""

import os
import warnings
from pathlib import Path

import fairseq.dataclass.utils as fairseq_config
import hydra
from fairseq.utils import import_user_module
from omegaconf import DictConfig, OmegaConf

HYDRA_VERSION = "1.1"  # a later one no longer checks fairseq's options against their dataclasses
HYDRA_WARNINGS = (
    r"\s*version_base=\"1\.1\" selects Hydra 1\.1 compatibility behavior",
    r"In '.*': Usage of deprecated keyword in package header",
    r"\s*'.*' is validated against ConfigStore schema with the same name",
)
TORCH_WARNINGS = (
    "'pin_memory' argument is set as true but no accelerator is found",
    r"`torch\.cuda\.amp\.autocast\(args\.\.\.\)` is deprecated",
    "Support for mismatched key_padding_mask and attn_mask is deprecated",
)


def ignore_torch_warnings() -> None:
    """Ignore, in this process, what torch says of fairseq's calls; for commands alone."""
    _ignore(TORCH_WARNINGS)


def is_user_dir(package: Path) -> bool:
    """Whether a command of fairseq was given this folder by --user-dir."""
    return any(
        os.path.realpath(given) == os.path.realpath(package) for given in getattr(import_user_module, "memo", ())
    )


def _initialize(config_path: str) -> hydra.initialize:
    with warnings.catch_warnings():
        _ignore(HYDRA_WARNINGS)
        return hydra.initialize(config_path=config_path, version_base=HYDRA_VERSION, caller_stack_depth=2)


def _compose(config_name: str, overrides: list[str], strict: bool) -> DictConfig:
    with warnings.catch_warnings():
        _ignore(HYDRA_WARNINGS)
        config = hydra.compose(config_name, overrides)
    OmegaConf.set_struct(config, strict)
    return config


def _ignore(messages: tuple[str, ...]) -> None:
    for message in messages:
        warnings.filterwarnings("ignore", message=message)


fairseq_config.initialize, fairseq_config.compose = _initialize, _compose
if is_user_dir(Path(__file__).parent):
    ignore_torch_warnings()
