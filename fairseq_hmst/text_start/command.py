"""The subcommand `text-start`: a pretrained text model, converted once for one data-bin.

The result is what `fairseq-train --arch hmst_aed --init-from` starts from: rows of the embedding for the pieces that
the data-bin has, new rows for its speech units, and all other weights as they are.
"""

import argparse
import logging
import sys
from pathlib import Path

from preprocess.errors import UserError, exit_status
from preprocess.files.outputs.held import held_file
from preprocess.files.program.options import add_options, read_options

from .options import TextStartOptions


def main(argv: list[str] | None = None) -> int:
    """Run the command line; exit status 1 for what cannot be read or does not fit, 130 after an interruption."""
    arguments = make_parser().parse_args(argv)
    logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stderr)

    def work() -> None:
        from ..data.data_bin import DataBin
        from .convert import convert, describe
        from .start import read_text_model

        if not arguments.out.parent.is_dir():
            raise UserError(f"there is no folder {arguments.out.parent}", place=f"--out {arguments.out}")
        options = read_options(TextStartOptions, arguments)
        with held_file(arguments.out, [Path(arguments.source), Path(arguments.data)]):
            data_bin = DataBin(arguments.data)
            text_model = read_text_model(arguments.source, data_bin, options.trust_pickle)
            pretrained = convert(text_model, data_bin, options.seed, arguments.out)
            print(describe(text_model, data_bin, pretrained))
            pretrained.write()

    return exit_status(work)


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this command."""
    parser = argparse.ArgumentParser(
        prog="hmst text-start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="MODEL",
        help="folder or hub name of a text model of Hugging Face (mBART, M2M-100, NLLB, Opus-MT), or folder or "
        "checkpoint of fairseq's release of mBART",
    )
    parser.add_argument("--data", required=True, help="data-bin that was made with this model's --text-model")
    parser.add_argument("--out", type=Path, required=True, help="file to write, such as start.pt")
    add_options(parser, TextStartOptions)
    return parser
