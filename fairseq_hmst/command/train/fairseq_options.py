"""Options of fairseq-train that `hmst train` reads itself, and the command line."""

import argparse
import importlib.util
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from preprocess.errors import UserError

from ..user_dir import USER_DIR

LOG_NAME = "train.log"
OURS = {"--user-dir": str(USER_DIR), "--task": "hmst_translation", "--criterion": "hmst_joint"}
# option: modules of which one is needed, name, extra of this package
NEEDED = {
    "tensorboard_logdir": (("tensorboard", "tensorboardX"), "TensorBoard", "tensorboard"),
    "wandb_project": (("wandb",), "Weights & Biases", "wandb"),
}


class TrainingError(UserError):
    """A training cannot begin, or has failed."""


@dataclass(frozen=True)
class FairseqOptions:
    """Options of fairseq-train that matter to how a training is shown.

    Attributes:
        save_dir: folder of checkpoints and log.
        max_update, max_epoch: end of the training; 0: none.
        best_checkpoint_metric: name of the score by which the best checkpoint is chosen.
        maximize_best_checkpoint_metric: whether more is better.
        keep_best_checkpoints: number of them, beside checkpoint_best.pt.
        tensorboard_logdir, wandb_project: where else to log.
    """

    save_dir: Path
    max_update: int
    max_epoch: int
    best_checkpoint_metric: str
    maximize_best_checkpoint_metric: bool
    keep_best_checkpoints: int
    tensorboard_logdir: str | None
    wandb_project: str | None

    @property
    def log(self) -> Path:
        """File of fairseq's full log."""
        return self.save_dir / LOG_NAME

    def check_extras(self) -> None:
        """Refuse to log to what is not installed.

        Raises:
            TrainingError: how to install it.
        """
        for option, (modules, name, extra) in NEEDED.items():
            if getattr(self, option) is not None and not any(map(importlib.util.find_spec, modules)):
                flag = f"--{option.replace('_', '-')}"
                raise TrainingError(
                    f"{flag} needs {name}, which is not installed",
                    advice=f"pip install 'fairseq_hmst[{extra}]', or leave {flag} out",
                )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise a TrainingError in place of an exit."""
        raise TrainingError(message)


def read_fairseq_options(options: Sequence[str]) -> FairseqOptions:
    """The options among those of a command line, with fairseq's defaults."""
    parser = _Parser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    parser.add_argument("--save-dir", type=Path, default=Path("checkpoints"))
    parser.add_argument("--max-update", type=int, default=0)
    parser.add_argument("--max-epoch", type=int, default=0)
    parser.add_argument("--best-checkpoint-metric", default="loss")
    parser.add_argument("--maximize-best-checkpoint-metric", action="store_true", default=False)
    parser.add_argument("--keep-best-checkpoints", type=int, default=-1)
    parser.add_argument("--tensorboard-logdir", default=None)
    parser.add_argument("--wandb-project", default=None)
    return FairseqOptions(**vars(parser.parse_known_args(options)[0]))


def fairseq_train_options(options: Sequence[str]) -> list[str]:
    """Options for fairseq-train: those given, our task and criterion where no other is named, and a log of JSON."""
    named = {option.partition("=")[0] for option in options}
    missing = [word for option, value in OURS.items() if option not in named for word in (option, value)]
    return [*options, *missing, "--log-format", "json"]


def shown_command(train_options: Sequence[str]) -> str:
    """The command line for a shell."""
    return shlex.join(["fairseq-train", *train_options])


def process_command(train_options: Sequence[str]) -> list[str]:
    """The same for a process.

    With this Python, nothing imported from the current folder, and no warnings of the lines of fairseq 0.12.
    """
    return [sys.executable, "-P", "-W", "ignore::SyntaxWarning", "-m", "fairseq_cli.train", *train_options]
