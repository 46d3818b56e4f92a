"""Options of translating: what a user may choose, and what holds where nothing was chosen."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from preprocess.errors import OptionError
from preprocess.files.program.options import option

from ..model_folder.generation import GenerationOptions
from .machine import MachineOptions

UNKNOWN_SEGMENT_SECONDS = 20.0  # for a model whose card does not say how long its training's recordings were
MAX_SEGMENT_SECONDS = 60.0  # longer ones are no input of a speech encoder
WHOLE_FACTOR = 1.5  # a recording that much longer than a segment loses more by a cut than by its length
DEFAULT_MAX_TOKENS = 8000  # 20 segments of 20 s at 20 subwords a second
OF_OPENING = ("encoder", *(field.name for field in fields(MachineOptions)))


@dataclass(frozen=True)
class SegmentLengths:
    """Lengths of recordings and their segments, seconds.

    Attributes:
        longest: of the segments of a recording that is cut.
        whole: a recording up to this is not cut.
    """

    longest: float
    whole: float


@dataclass(frozen=True)
class SpeechOptions(GenerationOptions):
    """Options of all that translates speech; those of the search may be a model folder's."""

    source_language: str | None = option("of the input, where the model has several", None, metavar="LANGUAGE")
    target_language: str | None = option("to translate into, where the model has several", None, metavar="LANGUAGE")
    max_segment_seconds: float | None = option(
        "longer recordings are cut at pauses into segments of at most this length; rows of a manifest only above a "
        "minute; default: the length that 19 of 20 recordings of the training keep to",
        None,
        metavar="SECONDS",
    )

    def __post_init__(self) -> None:
        """Check what needs no model to be checked.

        Raises:
            OptionError: an option lies outside its range.
        """
        super().__post_init__()
        if self.max_segment_seconds is not None and not 1 <= self.max_segment_seconds <= MAX_SEGMENT_SECONDS:
            raise OptionError(
                "max_segment_seconds", f"must lie in 1..{MAX_SEGMENT_SECONDS:g}, got {self.max_segment_seconds:g}"
            )

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """The options with some of them changed.

        Raises:
            TypeError: an option is unknown.
            OptionError: an option lies outside its range.
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name in OF_OPENING:
                raise TypeError(f"'{name}' is chosen when a model is opened, by from_pretrained")
            if name not in known:
                similar = difflib.get_close_matches(name, known, n=1)
                meant = f"did you mean '{similar[0]}'? " if similar else ""
                raise TypeError(f"unknown option '{name}'; {meant}there are {', '.join(known)}")
        return replace(self, **changes)

    def segment_lengths(self, training_seconds: float | None) -> SegmentLengths:
        """Lengths as chosen, or else such as the model was trained on.

        Args:
            training_seconds: that 95 % of the training's recordings keep to; None: not known.
        """
        if self.max_segment_seconds is not None:
            return SegmentLengths(self.max_segment_seconds, self.max_segment_seconds)
        if training_seconds is None:
            return SegmentLengths(UNKNOWN_SEGMENT_SECONDS, UNKNOWN_SEGMENT_SECONDS)
        longest = min(max(1.0, training_seconds), MAX_SEGMENT_SECONDS)
        return SegmentLengths(longest, min(WHOLE_FACTOR * longest, MAX_SEGMENT_SECONDS))


@dataclass(frozen=True)
class TranslationOptions(SpeechOptions):
    """Options of translating recordings and text."""

    nbest: int | None = option("hypotheses of each segment, with --format json or tsv", None, metavar="N")
    max_tokens: int = option(
        "subwords of units or text, padding included, that are translated together; for memory and speed alone",
        DEFAULT_MAX_TOKENS,
        metavar="N",
    )

    def __post_init__(self) -> None:
        """Check what needs no model to be checked.

        Raises:
            OptionError: an option lies outside its range.
        """
        super().__post_init__()
        if self.max_tokens < 1:
            raise OptionError("max_tokens", f"must be at least 1, got {self.max_tokens}")

    @property
    def num_best(self) -> int:
        """Hypotheses of each segment; 1 where nothing was chosen."""
        return 1 if self.nbest is None else self.nbest
