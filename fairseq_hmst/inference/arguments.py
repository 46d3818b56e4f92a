"""The command line of hmst-translate: its options, and which of them have no effect together."""

import argparse
from pathlib import Path
from typing import Any

from ..generators.build import DECODINGS, DEFAULT_CTC_DECODE_WEIGHT
from .options import DEFAULT_BEAM, DEFAULT_LENPEN, DEFAULT_MAX_SEGMENT_SECONDS

FORMATS = ("lines", "json", "tsv", "srt")
DESCRIPTION = "Translate recordings, or with --text lines of source text. Exit status 1: something was not translated."
# options of the class Options, the same names with dashes
TRANSLATION_OPTIONS = (
    *("decoding", "beam", "lenpen", "ctc_decode_weight", "nbest"),
    *("source_language", "target_language", "max_segment_seconds"),
)


def add_generation_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the search, which a model folder can have defaults for."""
    parser.add_argument("--decoding", choices=DECODINGS, help="default: the model's own")
    parser.add_argument("--beam", type=int, help=f"hypotheses that the search keeps; default: {DEFAULT_BEAM}")
    parser.add_argument("--lenpen", type=float, help=f"length penalty; default: {DEFAULT_LENPEN:g}")
    parser.add_argument(
        "--ctc-decode-weight",
        type=float,
        metavar="WEIGHT",
        help=f"of CTC in joint decoding, 0 to 1; default: {DEFAULT_CTC_DECODE_WEIGHT}",
    )


def make_parser() -> argparse.ArgumentParser:
    """The options of hmst-translate."""
    parser = argparse.ArgumentParser(prog="hmst-translate", description=DESCRIPTION)
    parser.add_argument("model", metavar="MODEL", help="model folder, or its name on the Hugging Face hub")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="recordings: wav, mp3, flac, ogg, opus; with --text: text files"
    )
    parser.add_argument("--manifest", type=Path, metavar="F.tsv", help="translate its rows instead of files")
    parser.add_argument("--text", action="store_true", help="translate lines of source text, of FILEs or of stdin")
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
    parser.add_argument("--nbest", type=int, metavar="N", help="hypotheses of each segment, with --format json or tsv")
    add_generation_arguments(parser)
    parser.add_argument("--source-language", metavar="LANGUAGE", help="of the input, where the model has several")
    parser.add_argument("--target-language", metavar="LANGUAGE", help="to translate into, where the model has several")
    parser.add_argument(
        "--max-segment-seconds",
        type=float,
        metavar="SECONDS",
        help="longer recordings are cut at pauses into segments of at most this length; rows of a manifest only above "
        f"a minute; default: {DEFAULT_MAX_SEGMENT_SECONDS:g}",
    )
    parser.add_argument(
        "--encoder", metavar="FOLDER", help="of the speech encoder (or its hub name), where MODEL only names it"
    )
    parser.add_argument("--device", default="cpu", help="torch device; default: cpu")
    parser.add_argument("--timing", action="store_true", help="print the real-time factor and its parts at the end")
    return parser


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse, and end with a message (exit status 2) where an option has no effect, or another is missing."""
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


def translation_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Those of the class Options that were given."""
    given = {name: getattr(arguments, name) for name in TRANSLATION_OPTIONS}
    return {name: value for name, value in given.items() if value is not None}
