"""The subcommand `export`: `hmst export --model A.pt [B.pt ...] --data DATA_BIN --out MODEL` writes a model folder.

The folder holds all that translating needs (see fairseq_hmst.model_folder.folder), and neither pickle nor code.
Several checkpoints become one model of averaged weights (--average), or stay apart and decode together (--ensemble).
It is written whole or not at all.
"""

import argparse
from pathlib import Path

from preprocess.errors import UserError, exit_status
from preprocess.files.program.options import add_options, read_options

from ..average import EMA_HELP
from ..model_folder.card import EncoderEntry
from ..model_folder.generation import GenerationOptions
from .options import NAMED_IN_CARD, ExportOptions


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 1 for what cannot be exported; 2 for options that do not fit; 130 after an interruption.
    """
    parser = make_parser()
    arguments = parser.parse_args(argv)
    several = len(arguments.model) > 1
    if several and not (arguments.average or arguments.ensemble):
        parser.error("several checkpoints: say --average or --ensemble")
    if not several and (arguments.average or arguments.ensemble):
        parser.error(f"--{'average' if arguments.average else 'ensemble'} has no effect on one checkpoint")
    groups = [[path] for path in arguments.model] if arguments.ensemble else [arguments.model]

    def work() -> None:
        from .exported_model import export

        generation = read_options(GenerationOptions, arguments)
        options = ExportOptions(
            arguments.include_encoder, arguments.scores, generation, tuple(arguments.examples), arguments.ema
        )
        card = export(groups, arguments.data, arguments.out, options)
        if card.encoder is not None and not (card.encoder.is_mfcc or card.encoder.included):
            print(_without_encoder(card.encoder, arguments.out))
        print(f"{arguments.out}: read its README.md before you publish it")

    return exit_status(work, (UserError, OSError, ValueError), "interrupted; nothing was written")


def _without_encoder(encoder: EncoderEntry, out: Path) -> str:
    """One line on a speech encoder that was not included."""
    how = (
        f"translate by `hmst translate {out} --encoder {encoder.name} FILE`, {encoder.name} being its folder"
        if encoder.must_be_named
        else f"it is taken from the hub, as {encoder.hub_name}"
    )
    return f"{out}: the speech encoder is not included: {how}; --include-encoder copies it into the folder"


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this command."""
    parser = argparse.ArgumentParser(prog="hmst export", description=__doc__)
    parser.add_argument(
        "--model", type=Path, nargs="+", required=True, metavar="CKPT", help="of fairseq-train; one or several"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--average", action="store_true", help="several checkpoints become one model of mean weights")
    how.add_argument("--ensemble", action="store_true", help="several checkpoints stay apart and decode together")
    parser.add_argument("--ema", action="store_true", help=EMA_HELP)
    parser.add_argument("--data", type=Path, required=True, metavar="DATA_BIN", help="that they were trained on")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="MODEL", help="folder to write; an exported model there is replaced"
    )
    parser.add_argument(
        "--include-encoder",
        nargs="?",
        const=NAMED_IN_CARD,
        metavar="FOLDER",
        help="copy the speech encoder into MODEL, from FOLDER (or hub name), or from where the units were made with it",
    )
    scores_help = "what hmst score --format json printed, for the model card"
    parser.add_argument("--scores", type=Path, metavar="FILE.json", help=scores_help)
    parser.add_argument(
        "--examples", type=Path, nargs="+", default=[], metavar="FILE", help="recordings to click in hmst demo; two do"
    )
    add_options(parser, GenerationOptions)
    return parser
