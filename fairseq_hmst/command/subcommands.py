"""The table of subcommands: where the code of each is found, and what each does in a line."""

import argparse
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class CommandModule(Protocol):
    """A module of a subcommand."""

    def make_parser(self) -> argparse.ArgumentParser:
        """A parser of its options, made without torch and fairseq."""
        ...

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run the subcommand; return its exit status."""
        ...


@dataclass(frozen=True)
class Subcommand:
    """One subcommand of `hmst`."""

    module: str  # full name
    summary: str

    def load(self) -> CommandModule:
        """Import its module."""
        module: CommandModule = importlib.import_module(self.module)
        return module


SUBCOMMANDS = {
    "run": Subcommand("fairseq_hmst.command.run.command", "a recipe -> data, model, scores and a model folder"),
    "check": Subcommand("fairseq_hmst.command.check.command", "all faults of a recipe or a folder, before work begins"),
    "preprocess": Subcommand("preprocess.__main__", "audio and text -> data-bin, stage by stage"),
    "train": Subcommand("fairseq_hmst.command.train.command", "data-bin -> checkpoints, by fairseq-train"),
    "generate": Subcommand("fairseq_hmst.command.generate", "checkpoint -> translated test sets, by fairseq-generate"),
    "average": Subcommand("fairseq_hmst.average", "several checkpoints -> one of averaged weights"),
    "score": Subcommand("fairseq_hmst.score.command", "translations -> BLEU, chrF, lengths, significance"),
    "export": Subcommand("fairseq_hmst.export.command", "checkpoints and data-bin -> model folder"),
    "translate": Subcommand("fairseq_hmst.translate.command", "model folder and recordings or text -> translations"),
    "live": Subcommand("fairseq_hmst.live.command", "model folder and speech while it is heard -> text that grows"),
    "demo": Subcommand("fairseq_hmst.demo.command", "model folder -> a page in the browser"),
    "text-start": Subcommand("fairseq_hmst.text_start.command", "pretrained text model -> start of a training"),
    "env": Subcommand("fairseq_hmst.command.env", "versions, devices, optional parts, and what fits together"),
    "user-dir": Subcommand("fairseq_hmst.command.user_dir", 'the path for fairseq: --user-dir "$(hmst user-dir)"'),
    "completion": Subcommand("fairseq_hmst.command.completion", "completion of subcommands and options in a shell"),
}
