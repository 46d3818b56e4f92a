"""The subcommand `train`: fairseq-train with this package, shown so that one can read it."""

import argparse
import sys
from collections.abc import Sequence

from preprocess.errors import exit_status

from ...model_folder.families import FAMILIES
from ..run.command import make_parser as make_run_parser
from .screens import add_log_format, open_screen
from .training import run_training

SIZES = ("_tiny", "_base")


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand; all others are fairseq-train's."""
    width = max(map(len, FAMILIES)) + 2
    families = "\n".join(f"  {name:{width}}{meaning}" for name, meaning in FAMILIES.items())
    parser = argparse.ArgumentParser(
        prog="hmst train",
        usage="hmst train RECIPE.yaml [--out OUT] [--set SECTION.OPTION=VALUE] | DATA_BIN --arch NAME [options of "
        "fairseq-train] [--log-format FORMAT]",
        description="Train a model: fairseq-train in a process of its own, with its full log in SAVE_DIR/train.log, "
        "and here what matters. The command line of fairseq-train is printed first. Of a recipe the "
        "section `train` is run.",
        epilog=f"--arch is one of these, alone or with {' or '.join(SIZES)} behind it:\n{families}\n\n"
        "hmst train --arch NAME --help lists all options of the task, the criterion, the architecture and fairseq.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_log_format(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is fairseq-train's, 1 for what cannot begin."""
    words = sys.argv[1:] if argv is None else argv
    return exit_status(lambda: _train(words))


def _train(argv: Sequence[str]) -> int:
    if {"-h", "--help"} & set(argv) and any(word.partition("=")[0] == "--arch" for word in argv):
        from ... import plugin  # noqa: F401  (before fairseq: it registers, and keeps the process as it is)
        from .help import all_options

        print(all_options(argv), end="")
        return 0
    if argv and argv[0].endswith((".yaml", ".yml")):
        from ..run.road import train_recipe

        description = "Run the section `train` of a recipe, whose data-bin is made."
        arguments = make_run_parser("hmst train", description).parse_args(argv)
        train_recipe(arguments.recipe, arguments.out, arguments.set, arguments.log_format)
        return 0
    parser = make_parser()
    arguments, options = parser.parse_known_args(argv)
    if not options:
        parser.error("expected RECIPE.yaml, or DATA_BIN and options")
    return run_training(options, open_screen(arguments.log_format)).exit_status
