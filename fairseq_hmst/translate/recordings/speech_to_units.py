"""Recordings to deduplicated units, by the speech encoder and the k-means of the training."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from preprocess.clustering.centroids import load_kmeans
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.errors import ExtractorError, OptionError, PreprocessError
from preprocess.files.cards.stage_cards import ExtractorDescription
from preprocess.files.units import deduplicate
from preprocess.speech.extractors import Extractor, load_described
from preprocess.speech.extractors.checkpoint import find_folder
from preprocess.speech.frames import frames_of

from ...model_folder.folder import ModelFolder
from ..errors import MissingEncoderError, TranslationError
from ..timing import Timing
from .reading import groups_of, read_stretches
from .recording import Recording, Stretch

GROUP_SECONDS = 600.0  # of audio that is decoded to samples at once: 38 MB


class SpeechToUnits:
    """Turns recordings into stretches with deduplicated units, as the stage `units` did for the training.

    Args:
        folder: of the model.
        device: of the speech encoder.
        encoder: where it lies, if it is not in the model's folder; None: where the card says.

    Attributes:
        timing: of all that was done so far.

    Raises:
        ModelFolderError, PreprocessError: the centroids or the included encoder cannot be used.
    """

    def __init__(self, folder: ModelFolder, device: str, encoder: str | None) -> None:
        self.timing = Timing()
        self._folder, self._device = folder, device
        self._lacking: TranslationError | None = None
        if folder.kmeans is None:
            self._lacking = TranslationError(
                "was exported without k-means: it translates text alone", place=folder.path
            )
            return
        self._centroids, card = load_kmeans(folder.kmeans)
        entry = folder.encoder_entry
        self._description = replace(card.extractor, hash=entry.hash)
        self._source = encoder if folder.encoder is None else str(folder.encoder)
        if entry.must_be_named and encoder is None:
            self._lacking = MissingEncoderError(
                f"needs the speech encoder '{entry.name}' (weights of sha256 {entry.hash[:12]}), which was not "
                "included",
                place=folder.path,
                advice="say where it lies by the argument `encoder`",
            )

    def check_given_encoder(self, encoder: str | None) -> None:
        """Refuse an `encoder` that was given though the model's folder needs none.

        Raises:
            OptionError: the units need none, or it lies in the folder.
        """
        if encoder is not None and (self._folder.encoder is not None or self._folder.uses_mfcc):
            why = "it needs no speech encoder" if self._folder.uses_mfcc else "it holds its speech encoder"
            raise OptionError("encoder", f"{encoder} has no effect on {self._folder.path}: {why}")

    @property
    def is_lacking(self) -> bool:
        """Whether the folder has no k-means, or the speech encoder must be named and was not."""
        return self._lacking is not None

    @functools.cached_property
    def tools(self) -> tuple[Extractor, NearestCentroid]:
        """The speech encoder and the centroids.

        Raises:
            TranslationError: there is no such encoder, or it is another one than that of the training.
        """
        if self._lacking is not None:
            raise self._lacking.of(self._lacking)  # a new one each time: errors collect tracebacks
        extractor = load_encoder(self._description, self._device, self._source)
        return extractor, NearestCentroid(self._centroids, self._device)

    def find_units(self, recordings: Sequence[Recording], max_seconds: float, on_done: Callable[[float], None]) -> None:
        """Give recordings their stretches, with units.

        Args:
            recordings: some minutes; those with a fault are left as they are, one whose units cannot be found gets one.
            max_seconds: length of the longest stretch of a recording that is cut.
            on_done: called with the seconds of speech that have units.

        Raises:
            TranslationError: there is no such encoder, or it is another one than that of the training.
        """
        with self.timing.measure("reading"):
            for stretches in groups_of(read_stretches(recordings, max_seconds), GROUP_SECONDS):
                self._encode(stretches, on_done)

    def _encode(self, stretches: Sequence[Stretch], on_done: Callable[[float], None]) -> None:
        """Give each stretch its units, or its recording a fault."""
        extractor, nearest_centroid = self.tools
        waveforms = {position: stretch.waveform for position, stretch in enumerate(stretches)}
        with self.timing.measure("encoder"):
            for position, frames in frames_of(waveforms, extractor):
                stretch = stretches[position]
                if isinstance(frames, ExtractorError):
                    stretch.recording.fault = TranslationError.of(frames)
                    continue
                with self.timing.measure("assignment"):
                    units, run_lengths = deduplicate(nearest_centroid(frames))
                stretch.set_units(units, run_lengths, extractor.frame_shift_seconds)
                on_done(stretch.seconds)


def load_encoder(description: ExtractorDescription, device: str, source: str | None) -> Extractor:
    """Load the speech encoder that a card describes.

    Args:
        description: in the card of a k-means.
        device: for all but MFCC, which run on the CPU.
        source: folder or hub name; None: where the card says.

    Raises:
        TranslationError: it is not there, or is another one.
    """
    try:
        return load_described(description, "cpu" if description.source == "mfcc" else device, source)
    except PreprocessError as error:
        raise TranslationError.of(error) from error


def find_encoder(description: ExtractorDescription, source: str | None) -> Path:
    """The folder of the speech encoder that a card describes, checked.

    Args:
        description: in the card of a k-means.
        source: folder or hub name; None: where the card says.

    Raises:
        TranslationError: it is not there, or is another one.
    """
    if description.source == "mfcc":
        raise TranslationError("the units are clusters of MFCC: there is no speech encoder to include")
    load_encoder(description, "cpu", source)
    return find_folder(source or description.source)
