"""Recordings from what a user names: files, or the rows of a manifest."""

from collections.abc import Iterable
from pathlib import Path

from preprocess.errors import ManifestError
from preprocess.files.manifest import parse_row, read_table
from preprocess.speech.audio import MAX_SECONDS

from ..decoder import Decoder
from ..errors import TranslationError
from ..options import TranslationOptions
from .recording import Recording


def list_files(paths: Iterable[str | Path], options: TranslationOptions, decoder: Decoder) -> list[Recording]:
    """Whole files; a long one is to be cut.

    Raises:
        ValueError: the model has several languages, and the options do not say which.
    """
    return [_file(path, options, decoder) for path in paths]


def list_rows(path: Path, options: TranslationOptions, decoder: Decoder) -> list[Recording]:
    """Rows of a manifest; those of up to a minute stay whole, as in training.

    Raises:
        TranslationError: the manifest is not in its form.
    """
    try:
        rows = list(read_table(path, ("id", "audio"), exact=False))
        return [_row(fields, path.parent, location, options, decoder) for location, fields in rows]
    except ManifestError as error:
        raise TranslationError.of(error) from error


def _file(path: str | Path, options: TranslationOptions, decoder: Decoder) -> Recording:
    languages = decoder.choose_languages(options.source_language, options.target_language)
    return Recording(str(path), Path(path), 0.0, None, languages, options.segment_seconds).with_length()


def _row(
    fields: dict[str, str], folder: Path, location: str, options: TranslationOptions, decoder: Decoder
) -> Recording:
    row = parse_row(fields, folder, location)
    recording = Recording(row.id, row.audio or Path(), row.offset, row.duration, decoder.untold_languages, MAX_SECONDS)
    if row.audio is None:
        recording.fault = TranslationError(
            "the row has no audio", place=location, advice="translate its text by --text"
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
