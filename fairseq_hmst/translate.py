"""From recordings or text to translations: the class `Translator`, and the command `hmst-translate`.

This is the one module that uses both packages: units are made by what made those of the training (preprocess), and
translated by what decodes for fairseq-generate (fairseq_hmst.inference).
"""

import functools
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from preprocess.audio import MAX_SECONDS, check_audio
from preprocess.errors import PreprocessError
from preprocess.extractors import Extractor, load_described
from preprocess.extractors.checkpoint import find_folder
from preprocess.frames import Segment as AudioSegment
from preprocess.frames import extract_frames
from preprocess.kmeans import load_kmeans
from preprocess.manifest import parse_row, read_table
from preprocess.nearest_centroid import NearestCentroid
from preprocess.text import normalise_text
from preprocess.units import deduplicate

from .inference.arguments import parse
from .inference.assembly import translate_lines, translate_recordings
from .inference.command import run
from .inference.decoder import Languages, make_decoder
from .inference.errors import ModelFolderError, TranslationError
from .inference.model_folder import ModelFolder
from .inference.options import Options
from .inference.progress import Progress
from .inference.recording import Recording, Stretch, groups_of
from .inference.results import Segment, Translation
from .inference.timing import Timing

GROUP_SECONDS = 600.0  # of audio that is decoded to samples at once: 38 MB
GROUP_LINES = 500  # of text
__all__ = ["ModelFolderError", "Segment", "Translation", "TranslationError", "Translator", "main"]


class Translator:
    """A model, ready to translate; make one by `from_pretrained`.

    Attributes:
        folder: of the model.
        models: of fairseq.
        decoder: from units or text to translations.
        options: how it translates.
        timing: of all translations so far.
    """

    def __init__(self, folder: ModelFolder, models: list[Any], speech: "SpeechToUnits", options: Options) -> None:
        self.folder, self.models, self.options = folder, models, options
        self.decoder = make_decoder(folder.data, models, options, folder.config["generation"])
        self.timing = speech.timing
        self._speech = speech

    @property
    def task(self) -> Any:
        """Of fairseq."""
        return self.decoder.task

    @property
    def decoding(self) -> str:
        """The one in use: attention, ctc, transducer or joint."""
        return self.decoder.decoding

    @property
    def target_languages(self) -> list[str]:
        """That the model knows."""
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
            options: see `Options`.

        Raises:
            ModelFolderError: it is no whole model folder.
            ValueError: an option lies out of range, or does not fit the model.
        """
        _check_device(device)
        folder = ModelFolder.open(name)
        with folder.explaining():
            speech = SpeechToUnits(folder, device, encoder)
            translator = cls(folder, folder.load_models(device), speech, Options())
        if encoder is not None and (folder.encoder is not None or folder.uses_mfcc):
            why = "it needs no speech encoder" if folder.uses_mfcc else "it holds its speech encoder"
            raise ValueError(f"--encoder {encoder} has no effect on {folder.path}: {why}")
        return translator.with_options(**options) if options else translator

    def with_options(self, **changes: Any) -> "Translator":
        """A translator that shares models and speech encoder with this one, and has other `Options`.

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
        """Translate the rows of a manifest (columns id and audio, and if need be offset, duration and languages).

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
        """What `stream` takes, of files."""
        uncut_seconds = self.options.max_segment_seconds
        return [Recording(str(path), Path(path), 0.0, None, self._languages(), uncut_seconds) for path in paths]

    def manifest_recordings(self, path: str | Path) -> list[Recording]:
        """What `stream` takes, of the rows of a manifest; those of up to a minute stay whole, as in training.

        Raises:
            TranslationError: the manifest is not in its form.
        """
        try:
            rows = list(read_table(Path(path), ("id", "audio"), exact=False))
            return [self._manifest_recording(fields, Path(path).parent, location) for location, fields in rows]
        except PreprocessError as error:
            raise TranslationError(str(error)) from error

    def _manifest_recording(self, fields: dict[str, str], folder: Path, location: str) -> Recording:
        row = parse_row(fields, folder, location)
        recording = Recording(row.id, row.audio or Path(), row.offset, row.duration, Languages(), MAX_SECONDS)
        if row.audio is None:
            recording.fault = f"{location}: the row has no audio; translate its text by --text"
            return recording
        try:
            recording.languages = self._languages(row.src_lang, row.tgt_lang)
        except ValueError as error:
            recording.fault = f"{location}: {error}"
        return recording

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
        for recording in recordings:
            _look_up_length(recording)
        with Progress(sum(recording.seconds for recording in recordings), "s", show_progress) as progress:
            for group in groups_of(recordings, GROUP_SECONDS):
                stretches = [stretch for recording in group for stretch in self._cut(recording)]
                for stretch in self._speech.fill_in(stretches):
                    progress.advance(stretch.seconds / 2)  # the other half when it is translated
                with self.timing.measure("decoding"):
                    found = translate_recordings(
                        group, stretches, self.decoder, lambda seconds: progress.advance(seconds / 2)
                    )
                self.timing.audio_seconds += sum(recording.seconds for recording in group if not recording.fault)
                progress.finish(sum(recording.seconds for recording in group))
                yield from _checked(found, skip_faults)

    def stream_text(
        self, lines: Iterable[str], skip_faults: bool, show_progress: bool = False
    ) -> Iterator[Translation]:
        """Translate lines of text, some hundreds at a time, and yield them in order; otherwise as `stream`."""
        texts = [normalise_text(line) for line in lines]
        with Progress(len(texts), "lines", show_progress) as progress:
            for start in range(0, len(texts), GROUP_LINES):
                group = texts[start : start + GROUP_LINES]
                with self.timing.measure("decoding"):
                    found = translate_lines(group, self._languages(), self.decoder)
                progress.finish(len(group))
                yield from _checked(found, skip_faults)

    def _cut(self, recording: Recording) -> list[Stretch]:
        if recording.fault:
            return []
        try:
            with self.timing.measure("reading"):
                return recording.cut(self.options.max_segment_seconds)
        except TranslationError as error:
            recording.fault = str(error)
            return []

    def _languages(self, source: str = "", target: str = "") -> Languages:
        """Those of the options, or else of a manifest's row."""
        chosen = self.options
        return self.decoder.languages(
            chosen.source_language or source or None, chosen.target_language or target or None
        )


class SpeechToUnits:
    """Turns stretches of recordings into deduplicated units, as the stage `units` did for the training.

    Args:
        folder: of the model.
        device: of the speech encoder.
        encoder: where it lies, if it is not in the model's folder; None: where the card says.

    Attributes:
        timing: of all that was done so far.

    Raises:
        PreprocessError, ValueError: the centroids cannot be used.
    """

    def __init__(self, folder: ModelFolder, device: str, encoder: str | None) -> None:
        self.timing = Timing()
        self._device = device
        self._lacking = ""
        if folder.kmeans is None:
            self._lacking = f"{folder.path} was exported without k-means: it translates text alone"
            return
        self._centroids, card = load_kmeans(folder.kmeans)
        described = folder.card["encoder"]
        self._description = card["extractor"] | {"hash": described["hash"]}
        self._source = encoder if folder.encoder is None else str(folder.encoder)
        if not (self._source or described["hub_name"] or folder.uses_mfcc):
            self._lacking = (
                f"{folder.path} needs the speech encoder '{described['name']}' (weights of sha256 "
                f"{described['hash'][:12]}), which was not included; say where it lies by --encoder"
            )

    @functools.cached_property
    def _tools(self) -> tuple[Extractor, NearestCentroid]:
        if self._lacking:
            raise TranslationError(self._lacking)
        extractor = _load_encoder(self._description, self._device, self._source)
        return _TimedExtractor(extractor, self.timing), NearestCentroid(self._centroids, self._device)

    def fill_in(self, stretches: Sequence[Stretch]) -> Iterator[Stretch]:
        """Give each stretch its units, or its recording a fault; yields each when it is done.

        Raises:
            TranslationError: there is no such encoder, or it is another one than that of the training.
        """
        for group in groups_of(stretches, GROUP_SECONDS):
            extractor, nearest_centroid = self._tools
            segments = [AudioSegment(part.recording.audio, part.offset, part.duration, ("",), ("",)) for part in group]
            with self.timing.measure("reading"):
                for item in extract_frames(segments, extractor, skip_faults=True):
                    stretch = group[item.position]
                    if item.fault:
                        stretch.recording.fault = item.fault
                    else:
                        with self.timing.measure("assignment"):
                            units, run_lengths = deduplicate(nearest_centroid(item.frames))
                        stretch.set_units(units, run_lengths, extractor.frame_shift_seconds)
                    yield stretch


class _TimedExtractor:
    """An extractor that adds the time of its frames to a Timing."""

    def __init__(self, extractor: Extractor, timing: Timing) -> None:
        self._extractor, self._timing = extractor, timing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._extractor, name)

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        with self._timing.measure("encoder"):
            return self._extractor.frames(waveforms)


def find_encoder(description: dict[str, Any], source: str | None) -> Path:
    """The folder of the speech encoder that a card describes, checked.

    Args:
        description: of the extractor, in the card of a k-means.
        source: folder or hub name; None: where the card says.

    Raises:
        TranslationError: it is not there, or is another one.
    """
    if description["source"] == "mfcc":
        raise TranslationError("the units are clusters of MFCC: there is no speech encoder to include")
    _load_encoder(description, "cpu", source)
    return find_folder(source or description["source"])


def _load_encoder(description: dict[str, Any], device: str, source: str | None) -> Extractor:
    try:
        return load_described(description, "cpu" if description["source"] == "mfcc" else device, source)
    except PreprocessError as error:
        raise TranslationError(str(error)) from error


def _look_up_length(recording: Recording) -> None:
    """Find the length, or why it cannot be translated."""
    if recording.fault:
        return
    try:
        recording.seconds = check_audio(recording.audio, recording.offset, recording.duration, max_seconds=math.inf)
    except PreprocessError as error:
        recording.fault = str(error)


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"--device {device}: cannot be used here: {error}") from error


def _checked(translations: Iterable[Translation], skip_faults: bool) -> Iterator[Translation]:
    for translation in translations:
        if translation.fault and not skip_faults:
            raise TranslationError(translation.failure)
        yield translation


def main(argv: list[str] | None = None) -> int:
    """Command line of hmst-translate; see `hmst-translate --help`."""
    return run(parse(argv), Translator.from_pretrained)


if __name__ == "__main__":
    sys.exit(main())
