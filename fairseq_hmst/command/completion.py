"""The subcommand `completion`: a script by which a shell completes subcommands and options."""

import argparse
from collections.abc import Sequence

import shtab

from ..version import __version__
from .subcommands import SUBCOMMANDS


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    parser = argparse.ArgumentParser(
        prog="hmst completion",
        description='Print a script that a shell loads: eval "$(hmst completion bash)" in ~/.bashrc, for example.',
    )
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the script."""
    shell = make_parser().parse_args(argv).shell
    print(shtab.complete(make_whole_parser(), shell=shell))
    return 0


def make_whole_parser() -> argparse.ArgumentParser:
    """A parser of all subcommands with all their options."""
    parser = argparse.ArgumentParser(prog="hmst")
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(dest="subcommand")
    for name, subcommand in SUBCOMMANDS.items():
        options = subcommand.load().make_parser()
        subparsers.add_parser(
            name, help=subcommand.summary, parents=[options], add_help=False, conflict_handler="resolve"
        )
    return parser
