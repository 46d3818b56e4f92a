"""The subcommand `user-dir`: the folder of this package, which fairseq's own commands take as `--user-dir`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

USER_DIR = Path(__file__).resolve().parents[1]


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    description = 'Print the path of the package: fairseq-train DATA_BIN --user-dir "$(hmst user-dir)" ...'
    return argparse.ArgumentParser(prog="hmst user-dir", description=description)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the path."""
    make_parser().parse_args(argv)
    print(USER_DIR)
    return 0
