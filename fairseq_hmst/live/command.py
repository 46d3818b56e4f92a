"""The subcommand `live`: a recording or a microphone's samples, translated while they are heard."""

import argparse
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from preprocess.errors import INTERRUPTED, UserError, exit_status
from preprocess.files.program.options import add_options, read_options

from ..translate.errors import MissingEncoderError
from ..translate.machine import MachineOptions
from .formats import FORMATS, make_writer
from .options import LiveOptions

if TYPE_CHECKING:
    import numpy as np

    from ..translate.open_model import OpenModel

STDIN = "-"
PIECE_SECONDS = 0.02  # of sound that is heard at once; a decision waits for no more than that
DESCRIPTION = "Translate speech while it is heard: text grows as it becomes certain, and is never taken back."


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see `hmst live --help`. Ctrl-C ends the stream, and its rest is translated.

    Returns:
        The exit status: 0; 1 for sound or a model that cannot be used; 2 for options that do not fit the model; others
        as of `exit_status`.
    """
    parser = make_parser()
    arguments = parser.parse_args(argv)
    if arguments.sampling_rate is not None and arguments.file != STDIN:
        parser.error("--sampling-rate has no effect on a file, which says its own")
    logging.getLogger().setLevel(logging.WARNING)  # fairseq logs what is of no use here

    def work() -> int:
        try:
            return 0 if _run(arguments) else INTERRUPTED
        except MissingEncoderError as error:
            raise error.of(error, "say where it lies by --encoder") from error

    return exit_status(work, (UserError, OSError), misused=(ValueError,))


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    parser = argparse.ArgumentParser(prog="hmst live", description=DESCRIPTION)
    parser.add_argument("model", metavar="MODEL", help="model folder, or its name on the Hugging Face hub")
    parser.add_argument(
        "file",
        metavar="FILE",
        help="recording; - is standard input: samples of 16 bits, little-endian, one channel, without a header",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="text: what is certain, and in a terminal the rest in grey (default); jsonl: a line a decision point",
    )
    add_options(parser, LiveOptions)
    parser.add_argument(
        "--encoder", metavar="FOLDER", help="of the speech encoder (or its hub name), where MODEL only names it"
    )
    add_options(parser, MachineOptions)
    return parser


def _run(arguments: argparse.Namespace) -> bool:
    """Translate the stream; whether it came to its end."""
    from ..translate.open_model import OpenModel
    from .sources import RawSamples, recording_pieces, recording_rate

    options, machine = read_options(LiveOptions, arguments), read_options(MachineOptions, arguments)
    model = OpenModel.open(arguments.model, machine, arguments.encoder)
    if arguments.file == STDIN:
        with FileIO(sys.stdin.fileno(), closefd=False) as file:
            samples = RawSamples(file)
            _translate(model, options, samples.pieces(PIECE_SECONDS, options.rate), arguments.format)
        return not samples.was_interrupted
    path = Path(arguments.file)
    options = replace(options, sampling_rate=recording_rate(path))
    _translate(model, options, recording_pieces(path, PIECE_SECONDS), arguments.format)
    return True


def _translate(model: "OpenModel", options: LiveOptions, pieces: "Iterator[np.ndarray]", format: str) -> None:
    """Write what each piece adds; what was heard before a fault is translated to its end."""
    from .translator import LiveTranslator

    translator, writer = LiveTranslator(model, options), make_writer(format)
    try:
        for piece in pieces:
            update = translator.feed(piece)
            if update.num_decisions:
                writer.add(update)
    finally:
        writer.add(translator.finish())
        writer.close()
