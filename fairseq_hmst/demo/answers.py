"""What the page is asked for, and the translation or the fault that answers it; neither HTML nor Gradio."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ..inference.errors import TranslationError
from ..inference.results import Translation


class PageError(Exception):
    """What was given cannot be translated; the message is for whoever looks at the page."""


@dataclass(frozen=True)
class Choices:
    """What is chosen beside the recording or the text."""

    nbest: int = 5
    source_language: Optional[str] = None  # None: the model has one, or need not be told
    target_language: Optional[str] = None


@dataclass(frozen=True)
class Answer:
    """A translation and what its pictures are made of."""

    translation: Translation
    choices: Choices
    recording: Optional[Path] = None  # None: the source was text


def language_choices(data_bin: Any, side: str) -> list[str]:
    """Languages of the `source` or `target` that a user must choose from; none where there is nothing to choose."""
    languages, symbols = data_bin.card["languages"][side], data_bin.language_symbols
    is_named = symbols.named_in_source == side or (side == "target" and symbols.target_form is not None)
    return languages if is_named and len(languages) > 1 else []


def translate_recording(translator: Any, recording: Optional[str], choices: Choices, max_seconds: float) -> Answer:
    """Translate an audio file.

    Raises:
        PageError: there is none, it is too long, or it cannot be read as sound.
    """
    if recording is None:
        raise PageError("Record something or choose a file first.")
    path = Path(recording)
    seconds = _length_of(path)
    if seconds is not None and seconds > max_seconds:
        raise PageError(
            f"{path.name} is too long: {in_minutes(seconds)}, and this page takes at most {max_seconds / 60:g} "
            "minutes. The command hmst-translate takes recordings of any length."
        )
    chosen = _with(translator, choices)
    return Answer(
        _only(lambda: chosen.translate([path], skip_faults=True), path, translator.folder.path), choices, path
    )


def translate_text(translator: Any, text: str, choices: Choices) -> Answer:
    """Translate source text, its lines joined to one.

    Raises:
        PageError: there is none, or too much.
    """
    if not text.strip():
        raise PageError("Write something first.")
    chosen, line = _with(translator, choices), " ".join(text.split())
    return Answer(_only(lambda: chosen.translate_text([line], skip_faults=True), translator.folder.path), choices)


def in_minutes(seconds: float) -> str:
    """61.52 as 1:01.5."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _with(translator: Any, choices: Choices) -> Any:
    return translator.with_options(
        nbest=choices.nbest, source_language=choices.source_language, target_language=choices.target_language
    )


def _only(translate: Callable[[], list[Translation]], *places: Path) -> Translation:
    """The translation that `translate` gives; a fault in words that do not say where the server keeps `places`."""
    try:
        (translation,) = translate()
        fault = translation.fault
    except TranslationError as error:  # the model lacks something
        fault = str(error)
    if fault:
        for place in places:
            fault = fault.replace(str(place), place.name)
        # what stands before a semicolon says what is wrong, what follows is advice to who prepares a corpus
        words = fault.split(";")[0].rstrip(".")
        raise PageError(f"{words}.")
    return translation


def _length_of(path: Path) -> Optional[float]:
    """Seconds by the file's header; None where it cannot be read, of which the translator says more."""
    import soundfile

    try:
        return soundfile.info(path).duration
    except soundfile.LibsndfileError:
        return None
