"""Recordings from what a user gives: speech of any kind, or the rows of a manifest."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from preprocess.errors import ManifestError
from preprocess.files.manifest import parse_row
from preprocess.files.reading.table import TableRow, read_table
from preprocess.speech.audio import MAX_SECONDS, AudioContent

from ..decoder import Decoder
from ..errors import TranslationError
from ..options import SegmentLengths, TranslationOptions
from .recording import Recording
from .sources import ONE, read_source


def make_recordings(
    speech: object, sampling_rate: object, lengths: SegmentLengths, options: TranslationOptions, decoder: Decoder
) -> Iterator[Recording]:
    """Recordings of one input or several, each whole; what is wrong with the content of one is its fault.

    Args:
        speech: any of `sources.Speech`, or several; a Recording among them stays as it is.
        sampling_rate: of waveforms that come without their own, Hz.
        lengths: say which is to be cut.
        options: may choose languages.
        decoder: of the model.

    Raises:
        OptionError: the model has several languages, and the options do not say which.
        TypeError: an input is nothing that can be speech.
    """
    inputs = [speech] if isinstance(speech, (*ONE, Recording)) else speech
    if not isinstance(inputs, Iterable):
        raise TypeError(f"expected speech or several inputs of speech, found {type(inputs).__name__}")
    for number, given in enumerate(inputs, start=1):
        if isinstance(given, Recording):
            yield given
            continue
        languages = decoder.choose_languages(options.source_language, options.target_language)
        try:
            name, audio = read_source(given, sampling_rate, f"recording {number}")
        except TranslationError as error:
            name = error.places[0]
            yield Recording(name, AudioContent(name, b""), 0.0, None, languages, lengths.whole, fault=error)
        else:
            yield Recording(name, audio, 0.0, None, languages, lengths.whole).with_length()


def list_rows(path: Path, options: TranslationOptions, decoder: Decoder) -> list[Recording]:
    """Rows of a manifest; those of up to a minute stay whole, as in training.

    A row that cannot be read is a recording with a fault.

    Raises:
        TranslationError: the manifest cannot be read, or lacks columns.
    """
    try:
        rows = list(read_table(path, ("id", "audio"), exact=False))
    except ManifestError as error:
        raise TranslationError.of(error) from error
    return [_row_or_fault(row, path.parent, options, decoder) for row in rows]


def _row_or_fault(row: TableRow, folder: Path, options: TranslationOptions, decoder: Decoder) -> Recording:
    try:
        return _row(row.fields, folder, row.location, options, decoder)
    except ManifestError as error:
        name = row.known.get("id") or row.location
        fault = TranslationError.of(error)
        return Recording(name, Path(), 0.0, None, decoder.untold_languages, MAX_SECONDS, fault=fault)


def _row(
    fields: dict[str, str], folder: Path, location: str, options: TranslationOptions, decoder: Decoder
) -> Recording:
    row = parse_row(fields, folder, location)
    recording = Recording(row.id, row.audio or Path(), row.offset, row.duration, decoder.untold_languages, MAX_SECONDS)
    if row.audio is None:
        recording.fault = TranslationError(
            "the row has no audio", place=location, advice="translate its text as a line of text"
        )
        return recording
    try:
        recording.languages = decoder.choose_languages(
            options.source_language or row.src_lang or None, options.target_language or row.tgt_lang or None
        )
    except ValueError as error:
        recording.fault = TranslationError(str(error), place=location)
        return recording
    return recording.with_length()
