"""The class `Translator`: speech or text to translations, by a model folder."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from preprocess.files.text import normalise_text

from ..model_folder.folder import ModelFolder
from ..tasks.hmst_translation import HmstTranslationTask
from .assembly import translate_lines, translate_recordings
from .decoder import make_decoder
from .machine import MachineOptions
from .open_model import OpenModel
from .options import SegmentLengths, TranslationOptions
from .progress import Progress
from .recordings.inputs import list_rows, make_recordings
from .recordings.reading import groups_of
from .recordings.recording import Recording
from .recordings.sources import ONE, Speech
from .recordings.speech_to_units import GROUP_SECONDS
from .results import Translation
from .timing import Timing

if TYPE_CHECKING:
    from ..models.hmst_model import HmstModel

GROUP_LINES = 500  # of text


class Translator:
    """A model, ready to translate; make one by `from_pretrained`. Several threads may use it.

    Options given to a call are fields of `TranslationOptions`, and hold for that call alone.

    Attributes:
        decoder: from units or text to translations.
        options: how it translates.
    """

    def __init__(self, model: OpenModel, options: TranslationOptions) -> None:
        self._model, self.options = model, options
        self.decoder = make_decoder(model.folder.data, model.models, options, model.folder.config.generation)
        self._lengths = options.segment_lengths(model.folder.card.long_training_seconds)

    def __reduce__(self) -> tuple[Callable[..., "Translator"], tuple[object, ...]]:
        """A pickle has the path of the folder alone: whoever reads it opens the model again."""
        model = self._model
        return _open_again, (model.folder.path.resolve(), model.machine, model.encoder, self.options)

    @property
    def folder(self) -> ModelFolder:
        """The folder of the model."""
        return self._model.folder

    @property
    def model(self) -> OpenModel:
        """The model folder with all that was loaded of it, which translators of other options share."""
        return self._model

    @property
    def lengths(self) -> SegmentLengths:
        """Lengths of recordings and their segments: as chosen, or those of the training."""
        return self._lengths

    @property
    def models(self) -> "list[HmstModel]":
        """The models of fairseq."""
        return self._model.models

    @property
    def timing(self) -> Timing:
        """Time that all translations took so far."""
        return self._model.speech.timing

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

    @property
    def max_segment_seconds(self) -> float:
        """Length of the longest segment of a recording that is cut: as chosen, or that of the training's."""
        return self._lengths.longest

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        device: str = "cpu",
        encoder: str | None = None,
        dtype: str = "float32",
        threads: int | None = None,
        **options: Any,
    ) -> "Translator":
        """Open a model folder, or that name on the Hugging Face hub.

        Args:
            name: of the folder.
            device: torch device of speech encoder and model.
            encoder: folder or hub name of the speech encoder, where the model's folder only names it.
            dtype: of the model: float32, bfloat16 or float16; the speech encoder keeps float32.
            threads: of the processor, while it translates; None: torch's own number.
            options: fields of `TranslationOptions`.

        Raises:
            ModelFolderError: it is no whole model folder.
            OptionError: an option lies out of range, or does not fit the model or the machine.
            TypeError: an option is unknown.
        """
        chosen = TranslationOptions().changed(options)
        model = OpenModel.open(name, MachineOptions(device, dtype, threads), encoder)
        with model.folder.explaining():
            translator = cls(model, TranslationOptions())
        return cls(model, chosen) if options else translator

    def with_options(self, **changes: Any) -> "Translator":
        """A translator that shares models and speech encoder with this one, and has other options.

        Args:
            changes: fields of `TranslationOptions`.

        Raises:
            OptionError: an option lies out of range, or does not fit the model.
            TypeError: an option is unknown.
        """
        return Translator(self._model, self.options.changed(changes)) if changes else self

    @overload
    def translate(
        self, speech: Speech, skip_faults: bool = ..., sampling_rate: int | None = ..., **options: Any
    ) -> Translation: ...

    @overload
    def translate(
        self, speech: Iterable[Speech], skip_faults: bool = ..., sampling_rate: int | None = ..., **options: Any
    ) -> list[Translation]: ...

    def translate(
        self,
        speech: Speech | Iterable[Speech],
        skip_faults: bool = False,
        sampling_rate: int | None = None,
        **options: Any,
    ) -> Translation | list[Translation]:
        """Translate speech of any length: one input to a Translation, several to a list of them.

        Args:
            speech: one or several; each the path of an audio file that libsndfile reads, a file object opened in
                binary mode, the bytes of an audio file, a waveform (numpy array or tensor of shape (samples,), or with
                channels, which are averaged), or a dictionary as of `datasets`.
            skip_faults: True: what cannot be translated gives a Translation with a `fault`; False: it is an error.
            sampling_rate: of waveforms, Hz.
            options: for this call alone.

        Raises:
            TranslationError: an input is missing, broken or too short, or there is no speech encoder.
            OptionError: an option does not fit; or the model has several languages, and no option says which.
            TypeError: an input is of another kind, or an option is unknown.
        """
        found = list(self.stream(speech, skip_faults, sampling_rate=sampling_rate, **options))
        return found[0] if isinstance(speech, ONE) else found

    def translate_manifest(self, path: str | Path, skip_faults: bool = False, **options: Any) -> list[Translation]:
        """Translate the rows of a manifest.

        Args:
            path: of the manifest, with the columns id and audio, and if need be offset, duration and languages.
            skip_faults: see `translate`.
            options: for this call alone.

        Raises:
            TranslationError: the manifest is not in its form; or as `translate`.
        """
        translator = self.with_options(**options)
        return list(translator.stream(translator.manifest_recordings(path), skip_faults))

    @overload
    def translate_text(self, lines: str, skip_faults: bool = ..., **options: Any) -> Translation: ...

    @overload
    def translate_text(self, lines: Iterable[str], skip_faults: bool = ..., **options: Any) -> list[Translation]: ...

    def translate_text(
        self, lines: str | Iterable[str], skip_faults: bool = False, **options: Any
    ) -> Translation | list[Translation]:
        """Translate source text: one line to a Translation, several to a list; an empty one has an empty translation.

        Raises:
            TranslationError: a line is too long for the model.
            OptionError: an option does not fit; or the model has several languages, and no option says which.
            TypeError: a line is no string, or an option is unknown.
        """
        found = list(self.stream_text(lines, skip_faults, **options))
        return found[0] if isinstance(lines, str) else found

    @overload
    def recordings(  # type: ignore[overload-overlap]
        self, speech: Speech, sampling_rate: int | None = ...
    ) -> Recording: ...

    @overload
    def recordings(self, speech: Iterable[Speech], sampling_rate: int | None = ...) -> list[Recording]: ...

    def recordings(
        self, speech: Speech | Iterable[Speech], sampling_rate: int | None = None
    ) -> Recording | list[Recording]:
        """Speech as `stream` takes it, with lengths and what is wrong with it; see `translate`."""
        found = list(make_recordings(speech, sampling_rate, self._lengths, self.options, self.decoder))
        return found[0] if isinstance(speech, ONE) else found

    def manifest_recordings(self, path: str | Path) -> list[Recording]:
        """Rows of a manifest as `stream` takes them; those of up to a minute stay whole, as in training.

        Raises:
            TranslationError: the manifest is not in its form.
        """
        return list_rows(Path(path), self.options, self.decoder)

    def stream(
        self,
        speech: Speech | Recording | Iterable[Speech | Recording],
        skip_faults: bool = False,
        show_progress: bool = False,
        sampling_rate: int | None = None,
        **options: Any,
    ) -> Iterator[Translation]:
        """Translate speech, some minutes of it at a time, and yield translations in order.

        Args:
            speech: as of `translate`, read as it is needed; or recordings of `recordings` or `manifest_recordings`,
                which keep the languages that they were made with.
            skip_faults: see `translate`.
            show_progress: a bar on stderr; all inputs are looked at before the first is translated.
            sampling_rate: see `translate`.
            options: for this call alone.

        Raises:
            TranslationError, OptionError, TypeError: see `translate`.
        """
        translator = self.with_options(**options)
        recordings = make_recordings(speech, sampling_rate, translator._lengths, translator.options, translator.decoder)
        if show_progress:
            recordings, counted = itertools.tee(recordings)
            total = sum(recording.seconds for recording in counted)
        else:
            total = 0.0
        with Progress(total, "s", show_progress, passes=2) as progress:
            for group in groups_of(recordings, GROUP_SECONDS):
                found = translator._translate_group(group, progress)
                yield from _checked(found, skip_faults)

    def stream_text(
        self, lines: str | Iterable[str], skip_faults: bool = False, show_progress: bool = False, **options: Any
    ) -> Iterator[Translation]:
        """Translate lines of text, some hundreds at a time, and yield them in order; otherwise as `stream`."""
        translator = self.with_options(**options)
        if not isinstance(lines, Iterable):
            raise TypeError(f"expected lines of text, found {type(lines).__name__}")
        texts: Iterator[str] = map(_one_line, [lines] if isinstance(lines, str) else lines)
        total = 0
        if show_progress:
            texts = iter(listed := list(texts))
            total = len(listed)
        chosen = translator.options
        languages = translator.decoder.choose_languages(chosen.source_language, chosen.target_language)
        with Progress(total, "lines", show_progress) as progress:
            while group := list(itertools.islice(texts, GROUP_LINES)):
                with translator._model.computing(), translator.timing.measure("decoding"):
                    found = translate_lines(group, languages, translator.decoder)
                progress.finish(len(group))
                yield from _checked(found, skip_faults)

    def _translate_group(self, group: list[Recording], progress: Progress) -> list[Translation]:
        """Translations of some recordings, in order."""
        with self._model.computing():
            self._model.speech.find_units(group, self._lengths.longest, progress.advance)
            with self.timing.measure("decoding"):
                found = translate_recordings(group, self.decoder, progress.advance)
            lengths = [recording.seconds for recording in group]
            whole = [translation.fault is None for translation in found]
            self.timing.audio_seconds += sum(itertools.compress(lengths, whole))
        progress.finish(sum(lengths))
        return found


def _one_line(line: object) -> str:
    if not isinstance(line, str):
        raise TypeError(f"expected lines of text, found {type(line).__name__}")
    return normalise_text(line)


def _checked(translations: Iterable[Translation], skip_faults: bool) -> Iterator[Translation]:
    for translation in translations:
        if translation.failure is not None and not skip_faults:
            raise translation.failure
        yield translation


def _open_again(folder: Path, machine: MachineOptions, encoder: str | None, options: TranslationOptions) -> Translator:
    return Translator(OpenModel.open(folder, machine, encoder), options)
