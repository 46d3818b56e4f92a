"""The subcommand `check`: all faults of a recipe that can be known before any work; or whether a folder is whole."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from preprocess.errors import exit_status
from preprocess.recipe.arguments import add_recipe_settings

from .errors import CheckWarning


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    parser = argparse.ArgumentParser(prog="hmst check", description=f"Find {__doc__.partition(': ')[2]}")
    parser.add_argument(
        "path",
        type=Path,
        metavar="RECIPE.yaml|FOLDER",
        help="a recipe; or what a stage, a training, `hmst run` or `hmst export` wrote",
    )
    add_recipe_settings(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print every fault; exit status 1 if there is any."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    if arguments.path.is_dir() and (arguments.out is not None or arguments.set):
        parser.error("--out and --set have no effect on a folder")
    return exit_status(lambda: _check(arguments.path, arguments.out, arguments.set))


def _check(path: Path, out: Path | None, settings: Sequence[str]) -> int:
    if path.is_dir():
        from .folder_check import check_folder

        checked, faults = check_folder(path)
    else:
        from .recipe_check import check_recipe

        of_recipe = check_recipe(path, out, settings)
        checked, faults = list(of_recipe.checked), of_recipe.faults
    for found in faults:
        print(f"{'warning' if isinstance(found, CheckWarning) else 'error'}: {found}", file=sys.stderr)
    number = sum(not isinstance(found, CheckWarning) for found in faults)
    print(f"{path}: {number or 'no'} fault{'s' * (number != 1)}; checked: {', '.join(checked)}")
    return 1 if number else 0
