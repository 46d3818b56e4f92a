"""What hmst-translate does with its arguments: opens the model, translates, and writes as it goes."""

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from ..data.data_bin import DataBinError
from .arguments import translation_options
from .errors import ModelFolderError, TranslationError
from .formats import Json, Lines, Rows, SrtFiles

USAGE, FAILED, INTERRUPTED = 2, 1, 130


def run(arguments: argparse.Namespace, open_translator: Callable[..., Any]) -> int:
    """Translate; errors are printed to stderr.

    Args:
        arguments: of `arguments.parse`.
        open_translator: Translator.from_pretrained.

    Returns:
        The exit status: 0; 1 where something could not be translated; 2 where an option does not fit the model;
        130 after an interruption.
    """
    logging.getLogger().setLevel(logging.WARNING)  # fairseq logs what is of no use here
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files may be any bytes
    try:
        options = translation_options(arguments)
        translator = open_translator(arguments.model, arguments.device, arguments.encoder, **options)
        is_whole = _translate(arguments, translator)
        if arguments.timing:
            print(translator.timing, file=sys.stderr)
    except BrokenPipeError:  # who reads stdout has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (ModelFolderError, TranslationError, DataBinError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0 if is_whole else FAILED


def _translate(arguments: argparse.Namespace, translator: Any) -> bool:
    """Write all translations; whether nothing was left out."""
    is_whole = True
    if arguments.text:
        lines, is_whole = _read_lines(arguments.files)
        translations = translator.stream_text(lines, skip_faults=True, show_progress=True)
    else:
        if arguments.manifest is not None:
            recordings = translator.manifest_recordings(arguments.manifest)
        else:
            recordings = translator.recordings(arguments.files)
        translations = translator.stream(recordings, skip_faults=True, show_progress=True)
    writer = _make_writer(arguments)
    try:
        for translation in translations:
            if translation.fault:
                is_whole = False
                _report(translation.failure)
            writer.add(translation)
    finally:
        writer.close()
    return is_whole


def _read_lines(files: list[str]) -> tuple[list[str], bool]:
    """Lines of text files, or of stdin if there are none, and whether all could be read."""
    if not files:
        return list(sys.stdin), True
    lines: list[str] = []
    is_whole = True
    for file in files:
        try:
            with open(file, encoding="utf-8-sig", newline="\n") as content:
                lines += content
        except (OSError, UnicodeDecodeError) as error:
            is_whole = False
            _report(f"{file}: cannot be read as text: {error}")
    return lines, is_whole


def _report(failure: str) -> None:
    tqdm.write(f"error: {failure}", file=sys.stderr)  # clears the progress bar and draws it anew


def _make_writer(arguments: argparse.Namespace) -> Any:
    def write(line: str) -> None:
        tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()

    if arguments.format == "srt":
        return SrtFiles(write, arguments.files, arguments.out_dir)
    if arguments.format == "json":
        return Json(write, arguments.text)
    if arguments.format == "tsv":
        return Rows(write, arguments.text, ranks=arguments.nbest is not None)
    return Lines(write, arguments.text)
