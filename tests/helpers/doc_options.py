"""The options of every command that docs/ has a table of, as the commands themselves know them."""

import argparse
import dataclasses
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from doc_pages import REQUIRED

STAGES = ("kmeans", "units", "subwords", "binarize", "inspect", "run")
MAKERS = {
    "hmst run": "fairseq_hmst.command.run.command",
    "hmst check": "fairseq_hmst.command.check.command",
    "hmst generate": "fairseq_hmst.command.generate",
    "hmst completion": "fairseq_hmst.command.completion",
    "hmst translate": "fairseq_hmst.translate.command",
    "hmst live": "fairseq_hmst.live.command",
    "hmst score": "fairseq_hmst.score.command",
    "hmst demo": "fairseq_hmst.demo.command",
    "hmst export": "fairseq_hmst.export.command",
    "hmst text-start": "fairseq_hmst.text_start.command",
    "hmst average": "fairseq_hmst.average",
    "hmst train": "fairseq_hmst.command.train.command",
}
TASK, CRITERION = "--task hmst_translation", "--criterion hmst_joint"
FAMILIES = ("hmst_aed", "hmst_ctc", "hmst_ctc_attention", "hmst_transducer")


@dataclass(frozen=True)
class CommandOption:
    """One option, or argument without a name.

    Attributes:
        name: `--clusters`, or `MODEL`.
        default: as a user would write it; REQUIRED; or "" where nothing is chosen.
        choices: the only values, if there are such.
        help: its help.
    """

    name: str
    default: str
    choices: tuple[str, ...]
    help: str


def command_names() -> list[str]:
    """All commands that must have tables."""
    from preprocess.corpora import CORPORA

    corpora = [f"preprocess manifest {name}" for name in CORPORA]
    stages = [f"preprocess {name}" for name in STAGES]
    return [*corpora, *stages, *MAKERS, TASK, CRITERION, *(f"--arch {name}" for name in FAMILIES)]


def options_of(command: str) -> list[CommandOption]:
    """All options of one of `command_names`."""
    if command.startswith("preprocess "):
        _, stage, *corpus = command.split()
        return list(_of_parser(_parser_of_stage(stage, *corpus)))
    if command in MAKERS:
        return list(_of_parser(importlib.import_module(MAKERS[command]).make_parser()))
    return list(_of_config(_config_of(command)))


def _parser_of_stage(stage: str, corpus: str = "") -> argparse.ArgumentParser:
    from preprocess.stages import STAGES as MODULES

    parser = argparse.ArgumentParser()
    importlib.import_module(f"preprocess.stages.{MODULES[stage].module}").add_arguments(parser)
    if not corpus:
        return parser
    (subparsers,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return subparsers.choices[corpus]


def _of_parser(parser: argparse.ArgumentParser) -> Iterator[CommandOption]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        is_required = action.required if action.option_strings else action.nargs != "*"
        in_group = any(action in group._group_actions and group.required for group in parser._mutually_exclusive_groups)
        default = REQUIRED if is_required else "" if in_group else shown_default(action.default, action.help or "")
        name = action.option_strings[-1] if action.option_strings else (action.metavar or action.dest).upper()
        choices = tuple(map(str, action.choices or ()))
        yield CommandOption(name, default, choices, (action.help or "").replace("%%", "%"))


def _config_of(command: str) -> type:
    import fairseq_hmst.plugin  # noqa: F401

    if command == TASK:
        from fairseq_hmst.tasks.config import HmstTranslationConfig

        return HmstTranslationConfig
    if command == CRITERION:
        from fairseq_hmst.criterions.joint_criterion import JointCriterionConfig

        return JointCriterionConfig
    from fairseq.models import MODEL_DATACLASS_REGISTRY

    return MODEL_DATACLASS_REGISTRY[command.split()[1]]


def _of_config(config: type) -> Iterator[CommandOption]:
    """Options that fairseq makes of a dataclass; what belongs to another part of fairseq (`II`) is left out."""
    for field in dataclasses.fields(config):
        if field.name.startswith("_") or str(field.default).startswith("${"):
            continue
        is_missing = field.default == "???"
        name = "DATA_BIN" if field.name == "data" else f"--{field.name.replace('_', '-')}"
        text = field.metadata["help"]
        choices = tuple(map(str, getattr(_without_none(field.type), "__members__", {})))
        values = tuple(member.value for member in _without_none(field.type)) if choices else ()
        yield CommandOption(name, REQUIRED if is_missing else shown_default(field.default, text), values, text)


def _without_none(hint: object) -> object:
    return next((kind for kind in getattr(hint, "__args__", ()) if kind is not type(None)), hint)


def shown_default(value: object, help_text: str) -> str:
    """A default as a user would write it; where it is not set, what the help says of it."""
    if value is not None and value is not False and value not in ("", (), []):
        if isinstance(value, tuple):
            return ",".join(shown_default(item, "") for item in value)
        return f"{value:g}" if isinstance(value, float) else str(value)
    match = re.search(r"default:? ([^;)]+)", help_text)
    return match[1].strip() if match else ""
