"""The command line `hmst SUBCOMMAND ...`. Only the chosen subcommand is imported."""

import argparse
import sys

from preprocess.errors import exit_status

from ..version import __version__
from .subcommands import SUBCOMMANDS


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        argv: the arguments after the program's name; None: those of this process.

    Returns:
        The exit status of the subcommand; argparse exits with 2.
    """
    words = sys.argv[1:] if argv is None else argv
    return exit_status(lambda: _run_subcommand(words))


def _run_subcommand(words: list[str]) -> int:
    name, rest = (words[0], words[1:]) if words else ("", [])
    if name not in SUBCOMMANDS:
        make_parser().parse_args(words or ["--help"])  # prints the help or what is wrong, and exits
    if rest == ["--version"]:
        print(f"hmst {__version__}")
        return 0
    return SUBCOMMANDS[name].load().main(rest)


def make_parser() -> argparse.ArgumentParser:
    """A parser of the name of the subcommand alone."""
    width = max(map(len, SUBCOMMANDS)) + 2
    parser = argparse.ArgumentParser(
        prog="hmst",
        description="Speech translation with discrete speech units and hard parameter sharing.",
        epilog="\n".join(f"  {name:{width}}{subcommand.summary}" for name, subcommand in SUBCOMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hmst {__version__}")
    parser.add_argument(
        "subcommand", choices=SUBCOMMANDS, metavar="SUBCOMMAND", help="one of those below; SUBCOMMAND --help says more"
    )
    return parser
