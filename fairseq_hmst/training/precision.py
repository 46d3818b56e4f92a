"""The precision that a command asks for: `--bf16` and its kin on a GPU as on a CPU.

fairseq's command line makes `--tpu` of `--bf16`, which then finds neither; its configuration takes what contradicts
itself, or what the device cannot do, and trains in another precision or not at all.
"""

import argparse
import importlib.util
import logging
import sys
from collections.abc import Callable, Sequence

import torch
from fairseq import options
from fairseq.dataclass.configs import CommonConfig, FairseqConfig
from fairseq.distributed import utils as distributed_utils

from preprocess.errors import OptionError

logger = logging.getLogger(__name__)

PRECISIONS = ("fp16", "bf16", "amp")
IMPLIED = {"memory_efficient_fp16": "fp16", "memory_efficient_bf16": "bf16"}
BFLOAT16 = ("bf16", "memory_efficient_bf16")

ParsedArguments = argparse.Namespace | tuple[argparse.Namespace, list[str]]

_fairseq_parse = options.parse_args_and_arch
_call_main = distributed_utils.call_main


def parse_args_and_arch(
    parser: argparse.ArgumentParser,
    input_args: Sequence[str] | None = None,
    parse_known: bool = False,
    suppress_defaults: bool = False,
    modify_parser: Callable[[argparse.ArgumentParser], None] | None = None,
) -> ParsedArguments:
    """Read the options of a command; see fairseq's function of this name, which reads all but those of bfloat16."""
    words = sys.argv[1:] if input_args is None else list(input_args)
    flags = {f"--{name.replace('_', '-')}": name for name in BFLOAT16}
    given = {flags[word] for word in words if word in flags}
    others = [word for word in words if word not in flags]
    found: ParsedArguments = _fairseq_parse(parser, others, parse_known, suppress_defaults, modify_parser)
    arguments = found[0] if isinstance(found, tuple) else found
    for name in given:
        setattr(arguments, name, True)
        setattr(arguments, IMPLIED.get(name, name), True)
    return found


def call_main(cfg: FairseqConfig, main: Callable[..., None], **kwargs: object) -> None:
    """Settle the precision, and run `main(cfg)`; see `cpu_processes.call_main`.

    Raises:
        OptionError: precisions exclude each other, or need a device that is not there.
    """
    is_training = cfg.common_eval.path is None
    settle(cfg, is_training)
    _call_main(cfg, main, **kwargs)


def settle(cfg: FairseqConfig, is_training: bool) -> None:
    """Make the precision in `cfg` whole, or refuse it.

    Args:
        cfg: changed in place.
        is_training: decoding and validating with --fp16 need no GPU.

    Raises:
        OptionError: precisions exclude each other, or need a device that is not there.
    """
    common = cfg.common
    for name, implied in IMPLIED.items():
        if getattr(common, name):
            setattr(common, implied, True)
    given = [name for name in PRECISIONS if getattr(common, name)]
    if len(given) > 1:
        raise OptionError(given[0], f"and {given[1]} exclude each other: give one of {', '.join(PRECISIONS)}")
    if common.tpu and importlib.util.find_spec("torch_xla") is None:
        raise OptionError("tpu", "needs torch_xla, which is not installed; bf16 alone trains on a GPU or a CPU")
    if is_training and given and given[0] != "bf16" and _is_on_cpu(common):
        raise OptionError(given[0], "needs a GPU; bf16 trains on a CPU as well")
    if cfg.ema.store_ema and (common.fp16 or common.bf16) and not cfg.ema.ema_fp32:
        logger.info("--ema-fp32 is set: a moving average of half precision would never leave its first value")
        cfg.ema.ema_fp32 = True


def _is_on_cpu(common: CommonConfig) -> bool:
    return common.cpu or not (common.tpu or torch.cuda.is_available())


options.parse_args_and_arch = parse_args_and_arch
distributed_utils.call_main = call_main
