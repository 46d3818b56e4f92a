"""Options of translating: what a user may choose, and what holds where nothing was chosen."""

from dataclasses import dataclass

from preprocess.files.options import option

from ..model_folder.generation import GenerationOptions

DEFAULT_MAX_SEGMENT_SECONDS = 20.0
MAX_SEGMENT_SECONDS = 60.0  # longer ones are no input of a speech encoder


@dataclass(frozen=True)
class TranslationOptions(GenerationOptions):
    """Options of translating; those of the search may be a model folder's."""

    nbest: int | None = option("hypotheses of each segment, with --format json or tsv", None, metavar="N")
    source_language: str | None = option("of the input, where the model has several", None, metavar="LANGUAGE")
    target_language: str | None = option("to translate into, where the model has several", None, metavar="LANGUAGE")
    max_segment_seconds: float | None = option(
        "longer recordings are cut at pauses into segments of at most this length; rows of a manifest only above a "
        f"minute; default: {DEFAULT_MAX_SEGMENT_SECONDS:g}",
        None,
        metavar="SECONDS",
    )

    def __post_init__(self) -> None:
        """Check what needs no model to be checked.

        Raises:
            ValueError: an option lies outside its range.
        """
        super().__post_init__()
        if not 1 <= self.segment_seconds <= MAX_SEGMENT_SECONDS:
            raise ValueError(
                f"--max-segment-seconds must lie in 1..{MAX_SEGMENT_SECONDS:g}, got {self.segment_seconds:g}"
            )

    @property
    def num_best(self) -> int:
        """Hypotheses of each segment; 1 where nothing was chosen."""
        return 1 if self.nbest is None else self.nbest

    @property
    def segment_seconds(self) -> float:
        """Length of the longest segment of a long recording."""
        return DEFAULT_MAX_SEGMENT_SECONDS if self.max_segment_seconds is None else self.max_segment_seconds
