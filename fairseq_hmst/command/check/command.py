"""The subcommand `check`: all faults of a recipe that can be known before any work; or whether a folder is whole."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from preprocess.errors import UserError


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    parser = argparse.ArgumentParser(prog="hmst check", description=f"Find {__doc__.partition(': ')[2]}")
    parser.add_argument(
        "path",
        type=Path,
        metavar="RECIPE.yaml|FOLDER",
        help="a recipe; or what a stage, a training, `hmst run` or `hmst export` wrote",
    )
    parser.add_argument("--out", type=Path, help="instead of the recipe's `out`")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.OPTION=VALUE", help="instead of the recipe's own value"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print every fault; exit status 1 if there is any."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    is_folder = arguments.path.is_dir()
    if is_folder and (arguments.out is not None or arguments.set):
        parser.error("--out and --set have no effect on a folder")
    try:
        if is_folder:
            from .folder_check import check_folder

            checked, faults = check_folder(arguments.path)
        else:
            from .recipe_check import check_recipe

            found = check_recipe(arguments.path, arguments.out, arguments.set)
            checked, faults = list(found.checked), found.faults
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    print(f"{arguments.path}: {len(faults) or 'no'} fault{'s' * (len(faults) != 1)}; checked: {', '.join(checked)}")
    return 1 if faults else 0


class CheckError(UserError):
    """Faults that were found before work began, one a line."""
