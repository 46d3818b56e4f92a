"""Options of the search: a user's, then a model folder's, then the defaults."""

import math
from dataclasses import dataclass
from typing import TypeVar

from preprocess.errors import OptionError
from preprocess.files.program.options import option

from ..generators.decodings import DECODINGS, DEFAULT_CTC_DECODE_WEIGHT

Value = TypeVar("Value")

DEFAULT_BEAM, DEFAULT_LENPEN = 5, 1.0  # fairseq's


@dataclass(frozen=True)
class GenerationSettings:
    """Settings of a search, complete.

    Attributes:
        decoding: attention, ctc, transducer or joint; auto: the family's own.
        beam: hypotheses that the search keeps.
        lenpen: length penalty, as fairseq's --lenpen.
        ctc_decode_weight: weight of CTC in joint decoding, 0 to 1; None: the task's default.
    """

    decoding: str
    beam: int
    lenpen: float
    ctc_decode_weight: float | None


@dataclass(frozen=True)
class GenerationOptions:
    """Options of a search, which a model folder can have defaults for; None: not chosen."""

    decoding: str | None = option("default: the model's own", None, choices=DECODINGS)
    beam: int | None = option(f"hypotheses that the search keeps; default: {DEFAULT_BEAM}", None)
    lenpen: float | None = option(f"length penalty; default: {DEFAULT_LENPEN:g}", None)
    ctc_decode_weight: float | None = option(
        f"of CTC in joint decoding, 0 to 1; default: {DEFAULT_CTC_DECODE_WEIGHT}", None, metavar="WEIGHT"
    )

    def __post_init__(self) -> None:
        """Check what needs no model to be checked.

        Raises:
            OptionError: the length penalty is no finite number.
        """
        if self.lenpen is not None and not math.isfinite(self.lenpen):
            raise OptionError("lenpen", f"must be a finite number, got {self.lenpen}")

    def over(self, defaults: "GenerationOptions") -> GenerationSettings:
        """Settings from what was chosen here, else in `defaults` (those of a model folder), else nowhere.

        The weight of CTC in `defaults` goes with the decoding there, not with another.
        """
        usual = defaults.decoding or "auto"
        decoding = self.decoding or usual
        return GenerationSettings(
            decoding,
            _first(self.beam, defaults.beam, DEFAULT_BEAM),
            _first(self.lenpen, defaults.lenpen, DEFAULT_LENPEN),
            _first(self.ctc_decode_weight, defaults.ctc_decode_weight if decoding == usual else None, None),
        )


def _first(chosen: Value | None, default: Value | None, usual: Value) -> Value:
    if chosen is not None:
        return chosen
    return usual if default is None else default
