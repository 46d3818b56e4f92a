"""The options that every command with a recipe has."""

import argparse
from pathlib import Path


def add_recipe_settings(parser: argparse.ArgumentParser) -> None:
    """Add --out and --set, which win over what the recipe says."""
    parser.add_argument("--out", type=Path, help="instead of the recipe's `out`")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.OPTION=VALUE",
        help="instead of the recipe's own value; may be repeated; paths are relative to the working directory",
    )
