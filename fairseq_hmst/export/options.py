"""Options of exporting: what a model folder gets beside the models and their data-bin."""

from dataclasses import dataclass, field
from pathlib import Path

from ..model_folder.generation import GenerationOptions

NAMED_IN_CARD = ""  # the encoder that the data-bin's card names


@dataclass(frozen=True)
class ExportOptions:
    """Options of exporting.

    Attributes:
        include_encoder: folder or hub name of the speech encoder to include; NAMED_IN_CARD: the one that the data-bin's
            card names; None: none is included.
        scores: a file of JSON for the card and the README.
        generation: defaults of decoding.
        ema: take the moving averages that the checkpoints hold (fairseq-train --store-ema) for their weights.
        examples: recordings to try the model with; `hmst demo` has a button for each.
    """

    include_encoder: str | None = None
    scores: Path | None = None
    generation: GenerationOptions = field(default_factory=GenerationOptions)
    examples: tuple[Path, ...] = ()
    ema: bool = False
