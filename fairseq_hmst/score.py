"""The command `hmst-score` (or `python -m fairseq_hmst.score`): BLEU, chrF and lengths, systems compared in pairs."""

import argparse
import logging
import sys
from pathlib import Path

from .scoring.comet import DEFAULT_MODEL, comet_scores
from .scoring.corpus import DEFAULT_RESAMPLES, DEFAULT_SEED, DEFAULT_TOKENIZER, TOKENIZERS, CorpusScore, score_corpus
from .scoring.report import Bootstrap, as_json, as_text, make_rows
from .scoring.texts import References, ScoreError, read_hypotheses, read_lines


def score_output(output: str | Path, references: str | Path) -> CorpusScore:
    """Score a saved fairseq-generate output, or plain text, against a reference file.

    Raises:
        ScoreError: they do not fit, or cannot be read.
    """
    expected = References.read(Path(references))
    return score_corpus(read_hypotheses(Path(output), expected), expected.lines)


def main(argv: list[str] | None = None) -> int:
    """Command line; exit status 1 for files that do not fit."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    _check_options(parser, arguments)
    logging.getLogger("sacrebleu").setLevel(logging.WARNING)  # fairseq's import lets it tell every step
    try:
        print(run(arguments))
    except ScoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def make_parser() -> argparse.ArgumentParser:
    """The options of hmst-score."""
    parser = argparse.ArgumentParser(prog="hmst-score", description="Score translations of one test set.")
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
    parser.add_argument("--tokenize", choices=TOKENIZERS, default=DEFAULT_TOKENIZER, help="of BLEU; default: 13a")
    resamples = f"test sets drawn by the paired bootstrap; default: {DEFAULT_RESAMPLES}"
    parser.add_argument("--resamples", type=int, metavar="N", help=resamples)
    parser.add_argument("--seed", type=int, help=f"of the paired bootstrap, 1 or more; default: {DEFAULT_SEED}")
    parser.add_argument(
        "--comet-python", metavar="PYTHON", help="interpreter of an environment with unbabel-comet: adds COMET"
    )
    parser.add_argument("--comet-model", metavar="NAME", help=f"hub name or checkpoint; default: {DEFAULT_MODEL}")
    parser.add_argument("--source", type=Path, metavar="FILE", help="one source sentence a line, which COMET reads")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="default: text")
    return parser


def run(arguments: argparse.Namespace) -> str:
    """Read, score, and write the report.

    Raises:
        ScoreError: files do not fit or cannot be read, or COMET does not run.
    """
    if arguments.data is not None:
        references = References.of_data_bin(arguments.data, arguments.split or "test", arguments.stream or "st")
    else:
        references = References.read(arguments.reference, arguments.languages)
    systems = {str(path): read_hypotheses(path, references) for path in arguments.hypothesis}
    comet_model, comet = None, None
    if arguments.comet_python is not None:
        comet_model = arguments.comet_model or DEFAULT_MODEL
        sources = read_lines(arguments.source)
        if len(sources) != len(references.lines):
            raise ScoreError(
                f"{arguments.source} has {len(sources)} lines, but there are {len(references.lines)} references"
            )
        comet = comet_scores(arguments.comet_python, comet_model, sources, systems, references.lines)
    bootstrap = Bootstrap(
        arguments.resamples or DEFAULT_RESAMPLES, DEFAULT_SEED if arguments.seed is None else arguments.seed
    )
    rows = make_rows(systems, references, arguments.tokenize, bootstrap, comet)
    write = as_json if arguments.format == "json" else as_text
    return write(rows, references, comet_model)


def _check_options(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End with a message where an option has no effect, or another is missing."""
    several = len(arguments.hypothesis) > 1
    for option, needed, is_there in (
        ("split", "--data", arguments.data is not None),
        ("stream", "--data", arguments.data is not None),
        ("languages", "--reference", arguments.reference is not None),
        ("resamples", "several systems", several),
        ("seed", "several systems", several),
        ("comet_model", "--comet-python", arguments.comet_python is not None),
        ("source", "--comet-python", arguments.comet_python is not None),
    ):
        if getattr(arguments, option) is not None and not is_there:
            parser.error(f"--{option.replace('_', '-')} has no effect without {needed}")
    if arguments.comet_python is not None and arguments.source is None:
        parser.error("--comet-python needs --source: COMET reads the source sentences too")
    if arguments.resamples is not None and arguments.resamples < 1:
        parser.error(f"--resamples must be 1 or more, got {arguments.resamples}")
    twice = {str(path) for path in arguments.hypothesis if arguments.hypothesis.count(path) > 1}
    if twice:
        parser.error(f"--hypothesis names {', '.join(sorted(twice))} more than once")


if __name__ == "__main__":
    sys.exit(main())
