"""The subcommand `score`: BLEU, chrF and lengths with confidence intervals, systems compared with the first."""

import argparse
import logging
from pathlib import Path

from preprocess.errors import exit_status
from preprocess.files.options import add_options, read_options

from .errors import ScoreError
from .options import ScoreOptions
from .systems import score_systems
from .texts import References


def main(argv: list[str] | None = None) -> int:
    """Run the command line; exit status 1 for files that do not fit, 2 for options that do not."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    options = _read_options(parser, arguments)
    logging.getLogger("sacrebleu").setLevel(logging.WARNING)  # fairseq's import lets it tell every step

    def work() -> None:
        if arguments.data is not None:
            references = References.of_data_bin(arguments.data, arguments.split or "test", arguments.stream or "st")
        else:
            references = References.read(arguments.reference, arguments.languages)
        table = score_systems(references, arguments.hypothesis, options)
        print(table.as_json() if arguments.format == "json" else table.as_text())

    return exit_status(work)


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    parser = argparse.ArgumentParser(prog="hmst score", description="Score translations of one test set.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--reference", type=Path, metavar="FILE", help="one reference a line, plain text")
    where.add_argument("--data", type=Path, metavar="DATA_BIN", help="take the references of --split and --stream")
    parser.add_argument("--split", help="of --data; default: test")
    parser.add_argument("--stream", choices=["st", "mt"], help="of --data; default: st")
    parser.add_argument(
        "--languages", type=Path, metavar="FILE", help="target language of each line of --reference: scores of each"
    )
    parser.add_argument(
        "--hypothesis",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="fairseq-generate's output, or plain text, of one or more systems; each is compared with the first",
    )
    add_options(parser, ScoreOptions)
    parser.add_argument("--format", choices=["text", "json"], default="text", help="default: text")
    return parser


def _read_options(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> ScoreOptions:
    """Options of scoring; end with a message where one has no effect, or another is missing."""
    several = len(arguments.hypothesis) > (arguments.trainings or 1)
    for option, needed, is_there in (
        ("split", "--data", arguments.data is not None),
        ("stream", "--data", arguments.data is not None),
        ("languages", "--reference", arguments.reference is not None),
        ("trials", "several systems", several),
        ("comet_model", "--comet-python", arguments.comet_python is not None),
        ("source", "--comet-python", arguments.comet_python is not None),
    ):
        if getattr(arguments, option) is not None and not is_there:
            parser.error(f"--{option.replace('_', '-')} has no effect without {needed}")
    if arguments.comet_python is not None and arguments.source is None:
        parser.error("--comet-python needs --source: COMET reads the source sentences too")
    twice = {str(path) for path in arguments.hypothesis if arguments.hypothesis.count(path) > 1}
    if twice:
        parser.error(f"--hypothesis names {', '.join(sorted(twice))} more than once")
    try:
        return read_options(ScoreOptions, arguments)
    except ScoreError as error:
        parser.error(str(error))
