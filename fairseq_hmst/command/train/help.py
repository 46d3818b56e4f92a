"""The options of a training in groups: task, criterion and architecture first, which fairseq's own help leaves out."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TypeVar

from fairseq.dataclass import FairseqDataclass
from fairseq.dataclass.configs import FairseqConfig
from fairseq.dataclass.utils import gen_parser_from_dataclass
from fairseq.models import MODEL_DATACLASS_REGISTRY
from fairseq.registry import REGISTRIES
from fairseq.tasks import TASK_DATACLASS_REGISTRY

from .fairseq_options import OURS, TrainingError

Entry = TypeVar("Entry")
GROUPS = ("optimization", "checkpoint", "dataset", "common", "distributed_training", "ema")
COMPONENTS = ("optimizer", "lr-scheduler")


def all_options(argv: Sequence[str]) -> str:
    """The help text for the architecture, optimizer and scheduler that `argv` names.

    Raises:
        TrainingError: there is no such architecture, optimizer or scheduler.
    """
    chooser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("arch", *COMPONENTS):
        chooser.add_argument(f"--{name}")
    chosen = chooser.parse_known_args(argv)[0]
    parser = argparse.ArgumentParser(
        prog="hmst train",
        usage=f"hmst train DATA_BIN --arch {chosen.arch} [options]",
        add_help=False,
        conflict_handler="resolve",
        formatter_class=_DefaultsFormatter,
    )
    task, criterion = OURS["--task"], OURS["--criterion"]
    architectures = {name: options for name, options in MODEL_DATACLASS_REGISTRY.items() if name.startswith("hmst_")}
    _add(parser, f"architecture {chosen.arch}", _known(architectures, chosen.arch, "--arch")())
    _add(parser, f"task {task}", TASK_DATACLASS_REGISTRY[task]())
    _add(parser, f"criterion {criterion}", REGISTRIES["criterion"]["dataclass_registry"][criterion]())
    for component in COMPONENTS:
        registry = REGISTRIES[component.replace("-", "_")]
        name = getattr(chosen, component.replace("-", "_"))
        group = parser.add_argument_group(component)
        group.add_argument(
            f"--{component}", choices=sorted(registry["registry"]), help="its options are listed with it"
        )
        if name is not None:
            _add(parser, f"{component} {name}", _known(registry["dataclass_registry"], name, f"--{component}")())
    for group_name in GROUPS:
        _add(parser, f"fairseq: {group_name}", FairseqConfig.__dataclass_fields__[group_name].type())
    return parser.format_help()


class _DefaultsFormatter(argparse.HelpFormatter):
    """Adds defaults to help texts that do not tell of them."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        is_told = action.default in (None, False, argparse.SUPPRESS) or "default" in (action.help or "")
        return action.help if is_told else f"{action.help or ''} (default: %(default)s)"


def _known(registry: Mapping[str, Entry], name: str, option: str) -> Entry:
    if name not in registry:
        names = ", ".join(sorted(registry))
        raise TrainingError(f"{option} {name}: there is none of this name", advice=f"one of {names}")
    return registry[name]


def _add(parser: argparse.ArgumentParser, title: str, options: FairseqDataclass) -> None:
    gen_parser_from_dataclass(parser.add_argument_group(title), options)
