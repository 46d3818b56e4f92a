"""The subcommand `run`: all of a recipe, from the corpus to scores and a model folder.

Interrupted and called again, it goes on where it stopped; what is finished and unchanged is kept.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from preprocess.errors import exit_status
from preprocess.recipe.arguments import add_recipe_settings

from ..train.screens import add_log_format


def make_parser(prog: str = "hmst run", description: str | None = __doc__) -> argparse.ArgumentParser:
    """A parser of the options of this subcommand, and of others that take a recipe."""
    parser = argparse.ArgumentParser(
        prog=prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml", help="see docs/recipes.md")
    add_recipe_settings(parser)
    add_log_format(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the recipe; exit status 1 for what the user can mend, 130 after an interruption."""
    arguments = make_parser().parse_args(argv)

    def work() -> None:
        from .road import run_road

        run_road(arguments.recipe, arguments.out, arguments.set, arguments.log_format)

    return exit_status(work, interrupted="interrupted; the same command goes on from here")
