"""The subcommand `run`: all of a recipe, from the corpus to scores and a model folder.

Interrupted and called again, it goes on where it stopped; what is finished and unchanged is kept.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from preprocess.errors import UserError

from ..train.screens import LOG_FORMATS


def make_parser(prog: str = "hmst run", description: str | None = __doc__) -> argparse.ArgumentParser:
    """A parser of the options of this subcommand, and of others that take a recipe."""
    parser = argparse.ArgumentParser(
        prog=prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml", help="see docs/recipes.md")
    parser.add_argument("--out", type=Path, help="instead of the recipe's `out`")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.OPTION=VALUE",
        help="instead of the recipe's own value; may be repeated; paths are relative to the working directory",
    )
    parser.add_argument(
        "--log-format",
        choices=LOG_FORMATS,
        default="auto",
        help="of the training: bar: lines with a bar below them; lines; json: a line of JSON an event; auto (default): "
        "bar on a terminal, else lines",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the recipe; exit status 1 for what the user can mend, 130 after an interruption."""
    arguments = make_parser().parse_args(argv)
    from .road import run_road

    try:
        run_road(arguments.recipe, arguments.out, arguments.set, arguments.log_format)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0
