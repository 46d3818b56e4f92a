"""The command line: `hmst preprocess STAGE`, or `python -m preprocess STAGE`. Only the chosen stage is imported."""

import argparse
import importlib
import logging
import sys
from typing import TYPE_CHECKING, Protocol

from .errors import PreprocessError, exit_status
from .stages import STAGES

if TYPE_CHECKING:
    from .recipe.file import Recipe
    from .stages.run import CheckedStages

PROGRAM = "hmst preprocess"
DESCRIPTION = "From audio and text to the binarized streams that fairseq_hmst trains on."
FORMATTER = argparse.RawDescriptionHelpFormatter


class StageModule(Protocol):
    """A module of a stage."""

    __doc__: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its options."""
        ...

    def run(self, arguments: argparse.Namespace) -> None:
        """Do its work."""
        ...


def main(argv: list[str] | None = None) -> int:
    """Run one stage.

    Args:
        argv: the arguments after the program's name; None: those of this process.

    Returns:
        The exit status: 0 done, 1 an error that the user can mend (printed), 130 interrupted; argparse exits with 2.
    """
    words = sys.argv[1:] if argv is None else argv
    logging.basicConfig(format="%(levelname)s: %(message)s")
    logging.getLogger(__package__).setLevel(logging.INFO)  # others, such as the hub's client, log every request
    return exit_status(lambda: _run_stage(words))


def _run_stage(words: list[str]) -> None:
    if not words or words[0] not in STAGES:
        _parser_of_stage_names().parse_args(words or [""])  # prints the help or what is wrong, and exits
    name, *argv = words
    stage = _import_stage(name)
    parser = argparse.ArgumentParser(f"{PROGRAM} {name}", description=stage.__doc__, formatter_class=FORMATTER)
    stage.add_arguments(parser)
    stage.run(parser.parse_args(argv))


def check_recipe(recipe: "Recipe") -> "tuple[CheckedStages, list[PreprocessError]]":
    """Read the options of all stages of a recipe, and find what is wrong with them; nothing is run."""
    from .stages.run import check_recipe as check

    return check(recipe)


def make_parser() -> argparse.ArgumentParser:
    """A parser of all stages with all their options."""
    parser = argparse.ArgumentParser(PROGRAM, description=DESCRIPTION)
    subparsers = parser.add_subparsers(dest="stage", required=True)
    for name, stage in STAGES.items():
        _import_stage(name).add_arguments(subparsers.add_parser(name, help=stage.summary))
    return parser


def _import_stage(name: str) -> StageModule:
    module: StageModule = importlib.import_module(f".stages.{STAGES[name].module}", __package__)
    return module


def _parser_of_stage_names() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog="\n".join(f"  {name:10}{stage.summary}" for name, stage in STAGES.items()),
        formatter_class=FORMATTER,
    )
    parser.add_argument("stage", choices=STAGES, metavar="STAGE", help="one of those below; STAGE --help says more")
    return parser


if __name__ == "__main__":
    sys.exit(main())
