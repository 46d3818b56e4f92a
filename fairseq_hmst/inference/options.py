"""How to translate: what a user may choose, and what holds where nothing was chosen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_BEAM, DEFAULT_LENPEN = 5, 1.0  # fairseq's
# what a model folder may have defaults for
GENERATION_OPTIONS = ("decoding", "beam", "lenpen", "ctc_decode_weight")
DEFAULT_MAX_SEGMENT_SECONDS = 20.0
MAX_SEGMENT_SECONDS = 60.0  # longer ones are no input of a speech encoder


@dataclass(frozen=True)
class Options:
    """How to translate.

    Attributes:
        decoding: attention, ctc, transducer or joint; None: the folder's, or else the family's own.
        beam: hypotheses that the search keeps; None: the folder's, or else 5.
        lenpen: length penalty; None: the folder's, or else 1.
        ctc_decode_weight: in joint decoding, 0 to 1; None: the folder's, or else 0.3.
        nbest: hypotheses of each segment, at most `beam`.
        source_language, target_language: of the input, where the model has several.
        max_segment_seconds: longer recordings are cut at pauses into segments of at most this length, 1 to 60.
    """

    decoding: str | None = None
    beam: int | None = None
    lenpen: float | None = None
    ctc_decode_weight: float | None = None
    nbest: int = 1
    source_language: str | None = None
    target_language: str | None = None
    max_segment_seconds: float = DEFAULT_MAX_SEGMENT_SECONDS

    def __post_init__(self) -> None:
        if not 1 <= self.max_segment_seconds <= MAX_SEGMENT_SECONDS:
            raise ValueError(
                f"--max-segment-seconds must lie in 1..{MAX_SEGMENT_SECONDS:g}, got {self.max_segment_seconds:g}"
            )
        if self.lenpen is not None and not math.isfinite(self.lenpen):
            raise ValueError(f"--lenpen must be a finite number, got {self.lenpen}")

    def generation(self, defaults: Mapping[str, Any]) -> dict[str, Any]:
        """All of GENERATION_OPTIONS, from what was chosen, the folder's `defaults`, and the defaults of all.

        The folder's weight of CTC goes with the folder's decoding, not with another.
        """
        chosen = {name: getattr(self, name) for name in GENERATION_OPTIONS if getattr(self, name) is not None}
        settings = {"decoding": "auto", "beam": DEFAULT_BEAM, "lenpen": DEFAULT_LENPEN, "ctc_decode_weight": None}
        settings |= {name: defaults[name] for name in GENERATION_OPTIONS if name in defaults}
        if chosen.get("decoding", settings["decoding"]) != settings["decoding"]:
            settings["ctc_decode_weight"] = None
        return settings | chosen
