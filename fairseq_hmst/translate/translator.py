"""The class `Translator`: recordings or text to translations, by a model folder."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preprocess.files.text import normalise_text

from ..model_folder.folder import ModelFolder
from ..tasks.hmst_translation import HmstTranslationTask
from .assembly import translate_lines, translate_recordings
from .decoder import make_decoder
from .options import TranslationOptions
from .progress import Progress
from .recordings.inputs import list_files, list_rows
from .recordings.recording import Recording
from .recordings.speech_to_units import SpeechToUnits, check_device
from .results import Translation

if TYPE_CHECKING:
    from ..models.hmst_model import HmstModel

GROUP_LINES = 500  # of text


class Translator:
    """A model, ready to translate; make one by `from_pretrained`.

    Attributes:
        folder: of the model.
        models: of fairseq.
        decoder: from units or text to translations.
        options: how it translates.
        timing: of all translations so far.
    """

    def __init__(
        self, folder: ModelFolder, models: "list[HmstModel]", speech: SpeechToUnits, options: TranslationOptions
    ) -> None:
        self.folder, self.models, self.options = folder, models, options
        self.decoder = make_decoder(folder.data, models, options, folder.config.generation)
        self.timing = speech.timing
        self._speech = speech

    @property
    def task(self) -> HmstTranslationTask:
        """The fairseq task."""
        return self.decoder.task

    @property
    def decoding(self) -> str:
        """The decoding in use: attention, ctc, transducer or joint."""
        return self.decoder.decoding

    @property
    def target_languages(self) -> list[str]:
        """Target languages that the model knows."""
        return self.task.data_bin.target_languages

    @classmethod
    def from_pretrained(
        cls, name: str | Path, device: str = "cpu", encoder: str | None = None, **options: Any
    ) -> "Translator":
        """Open a model folder, or that name on the Hugging Face hub.

        Args:
            name: of the folder.
            device: torch device of speech encoder and model.
            encoder: folder or hub name of the speech encoder, where the model's folder only names it.
            options: fields of `TranslationOptions`.

        Raises:
            ModelFolderError: it is no whole model folder.
            ValueError: an option lies out of range, or does not fit the model.
        """
        check_device(device)
        folder = ModelFolder.open(name)
        with folder.explaining():
            speech = SpeechToUnits(folder, device, encoder)
            translator = cls(folder, folder.load_models(device), speech, TranslationOptions())
        speech.check_given_encoder(encoder)
        return translator.with_options(**options) if options else translator

    def with_options(self, **changes: Any) -> "Translator":
        """A translator that shares models and speech encoder with this one, and has other options.

        Args:
            changes: fields of `TranslationOptions`.

        Raises:
            ValueError: an option lies out of range, or does not fit the model.
        """
        return Translator(self.folder, self.models, self._speech, replace(self.options, **changes))

    def translate(self, paths: Iterable[str | Path], skip_faults: bool = False) -> list[Translation]:
        """Translate recordings: any files that libsndfile reads, of any length.

        Args:
            paths: of the files.
            skip_faults: True: what cannot be translated gives a Translation with a `fault`; False: it is an error.

        Raises:
            TranslationError: a recording is missing, broken or too short, or there is no speech encoder.
            ValueError: the model has several languages, and the options do not say which.
        """
        return list(self.stream(self.recordings(paths), skip_faults))

    def translate_manifest(self, path: str | Path, skip_faults: bool = False) -> list[Translation]:
        """Translate the rows of a manifest.

        Args:
            path: of the manifest, with the columns id and audio, and if need be offset, duration and languages.
            skip_faults: see `translate`.

        Raises:
            TranslationError: the manifest is not in its form; or as `translate`.
        """
        return list(self.stream(self.manifest_recordings(path), skip_faults))

    def translate_text(self, lines: Iterable[str], skip_faults: bool = False) -> list[Translation]:
        """Translate lines of source text; an empty line gives an empty translation.

        Raises:
            TranslationError: a line is too long for the model.
            ValueError: the model has several languages, and the options do not say which.
        """
        return list(self.stream_text(lines, skip_faults))

    def recordings(self, paths: Iterable[str | Path]) -> list[Recording]:
        """Files as `stream` takes them."""
        return list_files(paths, self.options, self.decoder)

    def manifest_recordings(self, path: str | Path) -> list[Recording]:
        """Rows of a manifest as `stream` takes them; those of up to a minute stay whole, as in training.

        Raises:
            TranslationError: the manifest is not in its form.
        """
        return list_rows(Path(path), self.options, self.decoder)

    def stream(
        self, recordings: Sequence[Recording], skip_faults: bool, show_progress: bool = False
    ) -> Iterator[Translation]:
        """Translate recordings, some minutes of audio at a time, and yield them in order.

        Args:
            recordings: of `recordings` or `manifest_recordings`.
            skip_faults: see `translate`.
            show_progress: a bar on stderr.

        Raises:
            TranslationError: see `translate`.
        """
        total = sum(recording.seconds for recording in recordings)
        with Progress(total, "s", show_progress, passes=2) as progress:
            for group in self._speech.find_units(recordings, self.options.segment_seconds, progress.advance):
                with self.timing.measure("decoding"):
                    found = translate_recordings(group, self.decoder, progress.advance)
                lengths = [recording.seconds for recording in group]
                whole = [translation.fault is None for translation in found]
                self.timing.audio_seconds += sum(itertools.compress(lengths, whole))
                progress.finish(sum(lengths))
                yield from _checked(found, skip_faults)

    def stream_text(
        self, lines: Iterable[str], skip_faults: bool, show_progress: bool = False
    ) -> Iterator[Translation]:
        """Translate lines of text, some hundreds at a time, and yield them in order; otherwise as `stream`."""
        texts = [normalise_text(line) for line in lines]
        with Progress(len(texts), "lines", show_progress) as progress:
            for start in range(0, len(texts), GROUP_LINES):
                group = texts[start : start + GROUP_LINES]
                languages = self.decoder.choose_languages(self.options.source_language, self.options.target_language)
                with self.timing.measure("decoding"):
                    found = translate_lines(group, languages, self.decoder)
                progress.finish(len(group))
                yield from _checked(found, skip_faults)


def _checked(translations: Iterable[Translation], skip_faults: bool) -> Iterator[Translation]:
    for translation in translations:
        if translation.failure is not None and not skip_faults:
            raise translation.failure
        yield translation
