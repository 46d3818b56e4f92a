"""Requests to the page, and the translations or faults that answer them; neither HTML nor Gradio."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from preprocess.errors import UserError

from ..translate.errors import TranslationError
from ..translate.recordings.reading import read_length
from ..translate.results import Translation

if TYPE_CHECKING:
    from ..data.data_bin import DataBin
    from ..translate.translator import Translator


class PageError(UserError):
    """Input that cannot be translated; the message is for whoever looks at the page."""


@dataclass(frozen=True)
class Choices:
    """Choices beside the recording or the text."""

    nbest: int = 5
    source_language: str | None = None  # None: the model has one, or need not be told
    target_language: str | None = None


@dataclass(frozen=True)
class Answer:
    """A translation and what its pictures are made of."""

    translation: Translation
    choices: Choices
    recording: Path | None = None  # None: the source was text


def language_choices(data_bin: "DataBin", side: Literal["source", "target"]) -> list[str]:
    """Languages of one side that a user must choose from; none where there is nothing to choose."""
    languages = data_bin.source_languages if side == "source" else data_bin.target_languages
    symbols = data_bin.language_symbols
    is_named = symbols.named_in_source == side or (side == "target" and symbols.target_form is not None)
    return languages if is_named and len(languages) > 1 else []


def translate_recording(
    translator: "Translator", recording: str | None, choices: Choices, max_seconds: float
) -> Answer:
    """Translate an audio file.

    Raises:
        PageError: there is none, it is too long, or it cannot be read as sound.
    """
    if recording is None:
        raise PageError("Record something or choose a file first.")
    path = Path(recording)
    seconds = read_length(path)  # None: the translator says why
    if seconds is not None and seconds > max_seconds:
        raise PageError(
            f"{path.name} is too long: {in_minutes(seconds)}, and this page takes at most {max_seconds / 60:g} "
            "minutes. The command hmst translate takes recordings of any length."
        )
    chosen = _with(translator, choices)
    translation = _only(lambda: chosen.translate([path], skip_faults=True), path, translator.folder.path)
    return Answer(translation, choices, path)


def translate_text(translator: "Translator", text: str, choices: Choices, max_characters: int) -> Answer:
    """Translate source text, its lines joined to one.

    Raises:
        PageError: there is none, or too much.
    """
    if not text.strip():
        raise PageError("Write something first.")
    if len(text) > max_characters:
        raise PageError(
            f"The text is too long: {len(text)} characters, and this page takes at most {max_characters}. "
            "The command hmst translate takes texts of any length."
        )
    chosen, line = _with(translator, choices), " ".join(text.split())
    return Answer(_only(lambda: chosen.translate_text([line], skip_faults=True), translator.folder.path), choices)


def in_minutes(seconds: float) -> str:
    """Minutes and seconds: 61.52 as 1:01.5."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _with(translator: "Translator", choices: Choices) -> "Translator":
    return translator.with_options(
        nbest=choices.nbest, source_language=choices.source_language, target_language=choices.target_language
    )


def _only(translate: Callable[[], list[Translation]], *hidden: Path) -> Translation:
    """The translation that `translate` gives; a fault in words that do not say where the server keeps `hidden`."""
    try:
        (translation,) = translate()
        fault = translation.fault
    except TranslationError as error:  # the model lacks something
        fault = error
    if fault is None:
        return translation
    raise in_words(fault, *hidden) from fault


def in_words(fault: TranslationError, *hidden: Path) -> PageError:
    """A fault in words for the page, which do not say where the server keeps `hidden`."""
    # without the advice, which is for who prepares a corpus or starts the server
    words = ": ".join([*fault.places, fault.found.rstrip(".")])
    for path in hidden:
        words = words.replace(str(path), path.name)
    return PageError(f"{words}.")
