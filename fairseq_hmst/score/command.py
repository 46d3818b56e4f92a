"""The subcommand `score`: BLEU, chrF and lengths with confidence intervals, systems compared with the first.

Of a live translation its quality and its latency, by OmniSTEval.
"""

import argparse
import logging
from pathlib import Path

from preprocess.errors import exit_status
from preprocess.files.program.options import add_options, read_options

from .errors import ScoreError
from .live import LiveReferences, LiveScore, score_live
from .options import ScoreOptions
from .systems import score_systems
from .table import ScoreTable
from .texts import References

OF_TEXTS = ("hypothesis", "resamples", "trials", "seed", "trainings", "comet_python", "comet_model", "source")
OF_LIVE = ("references", "target_language")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; exit status 1 for files that do not fit, 2 for options that do not."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    options = _read_options(parser, arguments)
    logging.getLogger("sacrebleu").setLevel(logging.WARNING)  # fairseq's import lets it tell every step

    def work() -> None:
        table = _score(arguments, options)
        print(table.as_json() if arguments.format == "json" else table.as_text())

    return exit_status(work)


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    parser = argparse.ArgumentParser(prog="hmst score", description="Score translations of one test set.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--reference", type=Path, metavar="FILE", help="one reference a line, plain text")
    where.add_argument("--data", type=Path, metavar="DATA_BIN", help="take the references of --split and --stream")
    where.add_argument(
        "--live",
        type=Path,
        nargs="+",
        metavar="LOG",
        help="score live translations by OmniSTEval: metrics logs of simulstream, or what `hmst live --format jsonl` "
        "printed, in a file named as the recording",
    )
    parser.add_argument("--split", help="of --data; default: test")
    parser.add_argument("--stream", choices=["st", "mt"], help="of --data; default: st")
    parser.add_argument(
        "--languages", type=Path, metavar="FILE", help="target language of each line of --reference: scores of each"
    )
    parser.add_argument(
        "--references",
        type=Path,
        nargs=2,
        metavar=("YAML", "FILE"),
        help="of --live: a list of wav, offset and duration (seconds), as of MuST-C, and one sentence a line",
    )
    parser.add_argument(
        "--target-language",
        metavar="LANGUAGE",
        help="of --live, which is aligned by its tokens (by Moses, in perl) or, where it has no spaces, its "
        "characters; default: by words between spaces",
    )
    parser.add_argument(
        "--hypothesis",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="fairseq-generate's output, or plain text, of one or more systems; each is compared with the first",
    )
    add_options(parser, ScoreOptions)
    parser.add_argument("--format", choices=["text", "json"], default="text", help="default: text")
    return parser


def _score(arguments: argparse.Namespace, options: ScoreOptions) -> ScoreTable | LiveScore:
    if arguments.live is not None:
        references = LiveReferences.read(*arguments.references)
        return score_live(arguments.live, references, arguments.target_language or "", options.tokenize)
    if arguments.data is not None:
        references_of_text = References.of_data_bin(arguments.data, arguments.split or "test", arguments.stream or "st")
    else:
        references_of_text = References.read(arguments.reference, arguments.languages)
    return score_systems(references_of_text, arguments.hypothesis, options)


def _read_options(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> ScoreOptions:
    """Options of scoring; end with a message where one has no effect, or another is missing."""
    _check_kind(parser, arguments)
    hypotheses = arguments.hypothesis or []
    several = len(hypotheses) > (arguments.trainings or 1)
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
    twice = {str(path) for path in hypotheses if hypotheses.count(path) > 1}
    if twice:
        parser.error(f"--hypothesis names {', '.join(sorted(twice))} more than once")
    try:
        return read_options(ScoreOptions, arguments)
    except ScoreError as error:
        parser.error(str(error))


def _check_kind(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End with a message where an option is not of what is scored: texts, or live translations."""
    is_live = arguments.live is not None
    for option in OF_TEXTS if is_live else OF_LIVE:
        if getattr(arguments, option) != parser.get_default(option):
            parser.error(f"--{option.replace('_', '-')} has no effect {'with' if is_live else 'without'} --live")
    needed = "references" if is_live else "hypothesis"
    if getattr(arguments, needed) is None:
        parser.error(f"{'--live' if is_live else '--reference and --data'} needs --{needed}")
