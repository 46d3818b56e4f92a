"""The command line: `python -m preprocess STAGE --help`. Only the chosen stage is imported."""

import argparse
import importlib
import logging
import sys

from .errors import PreprocessError
from .stages import STAGES

PROGRAM = "python -m preprocess"


def main(argv: list[str] | None = None) -> int:
    """Run one stage.

    Args:
        argv: the arguments after the program's name; None: those of this process.

    Returns:
        The exit status: 0 done, 1 an error that the user can mend (printed), 130 interrupted; argparse exits with 2.
    """
    argv = sys.argv[1:] if argv is None else argv
    logging.basicConfig(format="%(levelname)s: %(message)s")
    logging.getLogger(__package__).setLevel(logging.INFO)  # others, such as the hub's client, log every request
    try:
        if not argv or argv[0] not in STAGES:
            _main_parser().parse_args(argv)  # prints the help or what is wrong, and exits
            return 2
        stage = importlib.import_module(f".stages.{STAGES[argv[0]].module}", __package__)
        parser = argparse.ArgumentParser(prog=f"{PROGRAM} {argv[0]}", description=stage.__doc__)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        stage.add_arguments(parser)
        stage.run(parser.parse_args(argv[1:]))
    except (PreprocessError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def _main_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="From audio and text to the binarized streams that fairseq_hmst trains on.",
        epilog="\n".join(f"  {name:10}{stage.summary}" for name, stage in STAGES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", choices=STAGES, metavar="STAGE", help="one of those below; STAGE --help says more")
    return parser


if __name__ == "__main__":
    sys.exit(main())
