"""The subcommand `translate`: translates, and writes as it goes."""

import argparse
import io
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from preprocess.errors import UserError, exit_status
from preprocess.files.program.options import add_options, read_options
from preprocess.files.reading.escaping import escape_breaks, escape_field
from preprocess.files.reading.lines import Line, lines_of, read_lines

from .errors import MissingEncoderError, TranslationError
from .formats import Json, Lines, Rows, SrtFiles, Writer
from .machine import MachineOptions
from .options import TranslationOptions
from .results import Translation

FORMATS = ("lines", "json", "tsv", "srt")
DESCRIPTION = "Translate recordings, or with --text lines of source text. Exit status 1: something was not translated."
STDIN = "-"


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see `hmst translate --help`.

    Returns:
        The exit status: 0; 1 where something could not be translated; 2 where an option does not fit the model;
        others as of `exit_status`.
    """
    arguments = parse(argv)
    logging.getLogger().setLevel(logging.WARNING)  # fairseq logs what is of no use here

    def work() -> int:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="surrogateescape")  # names of files may be any bytes
        try:
            return 0 if _run(arguments) else 1
        except MissingEncoderError as error:
            raise error.of(error, "say where it lies by --encoder") from error

    return exit_status(work, (UserError, OSError), misused=(ValueError,))


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    parser = argparse.ArgumentParser(prog="hmst translate", description=DESCRIPTION)
    parser.add_argument("model", metavar="MODEL", help="model folder, or its name on the Hugging Face hub")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="recordings: wav, mp3, flac, ogg, opus; with --text: text files"
    )
    parser.add_argument("--manifest", type=Path, metavar="F.tsv", help="translate its rows instead of files")
    parser.add_argument("--text", action="store_true", help="translate lines of source text, of FILEs or of stdin (-)")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="lines",
        help="lines: file<TAB>translation (default); tsv: a row a segment, with times; json: all there is, with units; "
        "srt: subtitles",
    )
    parser.add_argument(
        "--out-dir", type=Path, metavar="DIR", help="where to put FILE.srt; default: beside FILE, one alone on stdout"
    )
    add_options(parser, TranslationOptions)
    parser.add_argument(
        "--encoder", metavar="FOLDER", help="of the speech encoder (or its hub name), where MODEL only names it"
    )
    add_options(parser, MachineOptions)
    parser.add_argument("--timing", action="store_true", help="print the real-time factor and its parts at the end")
    return parser


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse a command line.

    Where an option has no effect, or another is missing, this ends the process with a message and exit status 2.
    """
    parser = make_parser()
    arguments = parser.parse_intermixed_args(argv)  # MODEL --text FILE
    if arguments.text and arguments.manifest is not None:
        parser.error("--text and --manifest exclude each other")
    if arguments.manifest is not None and arguments.files:
        parser.error("give either FILEs or --manifest")
    if not (arguments.text or arguments.manifest is not None or arguments.files):
        parser.error("nothing to translate: give FILEs, --manifest or --text")
    if arguments.format == "srt" and (arguments.text or arguments.manifest is not None):
        parser.error("--format srt needs recordings: it gives each a file of subtitles")
    for option, is_there, needed in (
        ("out_dir", arguments.format == "srt", "--format srt"),
        ("nbest", arguments.format in ("json", "tsv"), "--format json or tsv"),
        ("encoder", not arguments.text, "recordings"),
        ("max_segment_seconds", not arguments.text, "recordings"),
    ):
        if getattr(arguments, option) is not None and not is_there:
            parser.error(f"--{option.replace('_', '-')} has no effect without {needed}")
    return arguments


def _run(arguments: argparse.Namespace) -> bool:
    """Write all translations; whether nothing was left out."""
    from .translator import Translator

    options = asdict(read_options(TranslationOptions, arguments))
    chosen = {name: value for name, value in options.items() if value is not None}
    machine = asdict(read_options(MachineOptions, arguments))
    translator = Translator.from_pretrained(arguments.model, encoder=arguments.encoder, **machine, **chosen)
    is_whole = True
    lines: list[Line] = []
    if arguments.text:
        lines, is_whole = _read_lines(arguments.files)
        texts = [line.raw_text for line in lines]
        translations = translator.stream_text(texts, skip_faults=True, show_progress=True)
    else:
        if arguments.manifest is not None:
            recordings = translator.manifest_recordings(arguments.manifest)
        else:
            recordings = translator.recordings(arguments.files)
        translations = translator.stream(recordings, skip_faults=True, show_progress=True)
    is_whole &= _write(translations, _make_writer(arguments), lines)
    if arguments.timing:
        print(translator.timing, file=sys.stderr)
    return is_whole


def _write(translations: Iterator[Translation], writer: Writer, lines: Sequence[Line] = ()) -> bool:
    """Write as they come, and report faults; whether there were none.

    Args:
        translations: of recordings, or of `lines`.
        writer: of the format.
        lines: their places name faults; none: the recordings' names do.
    """
    is_whole = True
    places = (line.location for line in lines)
    try:
        for translation in translations:
            place = next(places, None)
            if translation.fault is not None and translation.failure is not None:
                is_whole = False
                _report(translation.failure if place is None else translation.fault.at(place))
            if translation.is_cut:
                source = escape_field(translation.source if place is None else place)
                _tell(f"warning: {source}: an output as long as may be; its end may be missing")
            writer.add(translation)
    finally:
        writer.close()
    return is_whole


def _read_lines(files: list[str]) -> tuple[list[Line], bool]:
    """Read lines of text files, where `-` and none at all is stdin; whether all could be read."""
    lines: list[Line] = []
    is_whole = True
    for file in files or [STDIN]:
        try:
            lines += lines_of(sys.stdin.buffer, "standard input") if file == STDIN else read_lines(Path(file))
        except UserError as error:
            is_whole = False
            _report(TranslationError.of(error))
    return lines, is_whole


def _report(failure: TranslationError) -> None:
    _tell(f"error: {escape_breaks(str(failure))}")


def _tell(message: str) -> None:
    tqdm.write(message, file=sys.stderr)  # clears the progress bar and draws it again


def _make_writer(arguments: argparse.Namespace) -> Writer:
    def _write_line(line: str) -> None:
        tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()

    if arguments.format == "srt":
        return SrtFiles(_write_line, arguments.files, arguments.out_dir)
    if arguments.format == "json":
        return Json(_write_line, arguments.text)
    if arguments.format == "tsv":
        return Rows(_write_line, arguments.text, ranks=arguments.nbest is not None)
    return Lines(_write_line, arguments.text)
